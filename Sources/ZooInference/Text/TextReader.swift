import ZooEngine
import ZooGraph
import ZooText

/// A network that says something of a text: its class, each token's class, or what stands where a token is masked.
public final class TextReader: Sendable {
  let model: TextModel
  private let plan: SequencePlan

  /// - Parameter threads: nil for one a core.
  /// - Throws: ``ModelError``, `EngineError`, `GraphError`, `FileError`.
  public init(_ model: TextModel, precision: SequencePrecision = .float32, threads: Int? = nil) throws {
    try model.require(.textClassification, .tokenClassification, .fillMask)
    self.model = model
    plan = try model.plan(precision: precision, threads: threads)
  }

  /// What is said of one place of a text.
  public struct Saying: Sendable {
    /// The token it is about; nil for the whole text.
    public let token: String?
    public let prediction: Prediction
    /// The whole text for each guess, where a mask is filled.
    public let texts: [Int: String]
  }

  /// - Parameters:
  ///   - pair: a second text, such as the sentence that may follow.
  ///   - count: guesses whose whole text is made, where a mask is filled.
  /// - Throws: ``ModelError/noMask(token:)``, `EngineError`, `TokenizerError`.
  public func read(_ text: String, pair: String? = nil, count: Int) throws -> [Saying] {
    let encoding = model.tokenizer.encode(text, pair: pair, maximumLength: model.maximumLength(of: plan))
    let logits = try plan.run(SequenceInput(ids: [encoding.ids], typeIDs: [encoding.typeIDs]))[0]
    let (values, columns) = (try logits.values(), logits.shape[1])
    func row(_ index: Int, labels: [String]) -> Prediction {
      Prediction(logits: Array(values[index * columns..<(index + 1) * columns]), labels: labels)
    }
    switch model.task {
    case .textClassification: return [Saying(token: nil, prediction: row(0, labels: model.labels), texts: [:])]
    case .tokenClassification:
      return try encoding.ids.enumerated().compactMap { index, id in
        let token = try model.tokenizer.decode([id])
        guard !token.isEmpty else { return nil }
        return Saying(token: token, prediction: row(index, labels: model.labels), texts: [:])
      }
    default: return try filled(encoding.ids, count: count) { row($0, labels: []) }
    }
  }

  private func filled(_ ids: [Int], count: Int, _ row: (Int) -> Prediction) throws -> [Saying] {
    let mask = model.settings.maskToken ?? ""
    let places = ids.indices.filter { ids[$0] == model.tokenizer.id(of: mask) }
    guard !places.isEmpty else { throw ModelError.noMask(token: mask) }
    return try places.map { place in
      let prediction = row(place)
      var texts: [Int: String] = [:]
      for guess in prediction.top(count) {
        var whole = ids
        whole[place] = guess.index
        texts[guess.index] = try model.tokenizer.decode(whole)
      }
      let labels = try prediction.logits.indices.map { id in
        texts[id] == nil ? "" : try model.tokenizer.decode([id], skippingSpecialTokens: false)
      }
      return Saying(token: mask, prediction: Prediction(logits: prediction.logits, labels: labels), texts: texts)
    }
  }
}
