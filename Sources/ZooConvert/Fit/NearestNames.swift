/// Finds the tensors whose names and shapes are most like another's.
struct NearestNames {
  private struct Candidate {
    let tensor: FitReport.Counterpart
    let words: [String: Int]
    let wordCount: Int
  }
  private let candidates: [Candidate]
  private static let shown = 2
  /// Below this share of words in common a name says nothing, unless the shape does.
  private static let leastLikeness = 0.5

  init(_ tensors: [FitReport.Counterpart]) {
    candidates = tensors.map { tensor in
      let words = Self.words(tensor.name)
      return Candidate(tensor: tensor, words: words, wordCount: words.values.reduce(0, +))
    }
  }

  /// The best two; empty where none resembles it.
  func nearest(to tensor: FitReport.Counterpart) -> [FitReport.Counterpart] {
    let words = Self.words(tensor.name)
    let count = words.values.reduce(0, +)
    let sameShape = candidates.filter { Self.fits($0.tensor.shape, tensor.shape) }
    // A shape that only few have is a trace of its own.
    let shapeTells = (1...4).contains(sameShape.count)
    var scored: [(score: Double, tensor: FitReport.Counterpart)] = []
    for candidate in candidates {
      var common = 0
      for (word, times) in words { common += min(times, candidate.words[word] ?? 0) }
      let likeness = 2 * Double(common) / Double(max(count + candidate.wordCount, 1))
      let hasShape = Self.fits(candidate.tensor.shape, tensor.shape)
      guard likeness >= Self.leastLikeness || hasShape && (shapeTells || likeness > 0.25) else { continue }
      let isSame = candidate.tensor.shape == tensor.shape
      scored.append((likeness + (isSame ? 0.5 : hasShape ? 0.4 : 0), candidate.tensor))
    }
    return scored.sorted { ($1.score, $0.tensor.name) < ($0.score, $1.tensor.name) }.prefix(Self.shown).map(\.tensor)
  }

  /// Whether one may be the other laid out anew.
  private static func fits(_ a: [Int], _ b: [Int]) -> Bool { a.sorted() == b.sorted() }

  /// Names that frameworks give to the same thing.
  private static let synonyms = [
    "kernel": "weight", "w": "weight", "gamma": "weight", "scale": "weight", "beta": "bias", "b": "bias",
    "mean": "mean", "moving": "running", "variance": "var", "convolution": "conv", "normalization": "norm",
    "bn": "norm",
    "batchnorm": "norm", "classifier": "head", "fc": "head", "logits": "head", "predictions": "head", "linear": "head",
    "dense": "head",
  ]

  /// The words and numbers of a name with how often each stands in it: `layer4.2.conv3_w` has layer, 4, 2, conv, 3, weight.
  private static func words(_ name: String) -> [String: Int] {
    var words: [String: Int] = [:]
    var word = ""
    var isNumber = false
    func finish() {
      if !word.isEmpty { words[synonyms[word] ?? word, default: 0] += 1 }
      word = ""
    }
    for scalar in name.lowercased().unicodeScalars.prefix(1024) {
      let isDigit = ("0"..."9").contains(scalar)
      let isLetter = ("a"..."z").contains(scalar) || scalar.value > 127
      if !isDigit && !isLetter {
        finish()
        continue
      }
      if !word.isEmpty, isDigit != isNumber { finish() }
      isNumber = isDigit
      word.unicodeScalars.append(scalar)
    }
    finish()
    return words
  }
}
