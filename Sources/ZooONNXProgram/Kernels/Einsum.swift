import Foundation
import ZooCheckpoint

extension KernelCall {
  /// Einstein's sum: operands two by two become products of matrices, where letters that both keep are the batch and
  /// letters that end there are summed over.
  func einsum() throws -> [ONNXValue] {
    let values = try given()
    let equation = try EinsumEquation(string("equation", ""), ranks: values.map(\.rank))
    let dtype = try self.dtype(of: values[0])
    var terms = try zip(values, equation.inputs).map { try diagonal($0.widened, letters: $1) }
    while terms.count > 1 {
      let (a, b) = (terms.removeFirst(), terms.removeFirst())
      let later = Set(terms.flatMap(\.letters)).union(equation.output)
      terms.insert(try contract(a, b, keeping: later), at: 0)
    }
    var result = terms[0]
    let summed = result.letters.indices.filter { !equation.output.contains(result.letters[$0]) }
    if !summed.isEmpty {
      let value = try reduce(result.value, .sum, axes: summed, keeps: false)
      result = Term(value: value, letters: result.letters.filter { equation.output.contains($0) })
    }
    let order = equation.output.compactMap { result.letters.firstIndex(of: $0) }
    guard order.count == equation.output.count, Set(order).count == order.count else {
      throw ONNXProgramError(.equation(equation.text))
    }
    return [try transposed(result.value, order).cast(to: dtype)]
  }

  struct Term {
    let value: ONNXValue
    let letters: [Character]
  }

  /// Letters that stand twice keep the diagonal only.
  private func diagonal(_ value: ONNXValue, letters: [Character]) throws -> Term {
    guard Set(letters).count < letters.count else { return Term(value: value, letters: letters) }
    var walk = Walk(shape: [], strides: [])
    var unique: [Character] = []
    for (axis, stride) in rowMajorStrides(value.shape).enumerated() {
      if let place = unique.firstIndex(of: letters[axis]) {
        guard walk.shape[place] == value.shape[axis] else {
          throw ONNXProgramError(.shapesDiffer(value.shape, walk.shape))
        }
        walk.strides[place] += stride
      } else {
        unique.append(letters[axis])
        walk.shape.append(value.shape[axis])
        walk.strides.append(stride)
      }
    }
    return Term(value: try gather(value, walk), letters: unique)
  }

  private func contract(_ a: Term, _ b: Term, keeping: Set<Character>) throws -> Term {
    let shared = a.letters.filter { b.letters.contains($0) }
    let batch = shared.filter { keeping.contains($0) }, summed = shared.filter { !keeping.contains($0) }
    let rows = a.letters.filter { !shared.contains($0) }, columns = b.letters.filter { !shared.contains($0) }
    func size(_ letter: Character) throws -> Int {
      let sizes = [a, b].compactMap { term in term.letters.firstIndex(of: letter).map { term.value.shape[$0] } }
      guard let largest = sizes.max(), sizes.allSatisfy({ $0 == largest || $0 == 1 }) else {
        throw ONNXProgramError(.shapesDiffer(a.value.shape, b.value.shape))
      }
      return largest
    }
    func ordered(_ term: Term, _ letters: [Character]) throws -> ONNXValue {
      let order = letters.compactMap { term.letters.firstIndex(of: $0) }
      return try expanded(transposed(term.value, order), to: letters.map(size))
    }
    func product(_ letters: [Character]) throws -> Int { try letters.map(size).reduce(1, *) }
    let left = try ordered(a, batch + rows + summed), right = try ordered(b, batch + summed + columns)
    let (batches, m, k, n) = (try product(batch), try product(rows), try product(summed), try product(columns))
    let result = try matmul(left.reshaped([batches, m, k]), right.reshaped([batches, k, n]))
    let letters = batch + rows + columns
    return Term(value: result.reshaped(try letters.map(size)), letters: letters)
  }
}

/// The letters of an Einsum equation, an ellipsis spelled out in digits of a private kind.
struct EinsumEquation {
  let text: String
  private(set) var inputs: [[Character]] = []
  private(set) var output: [Character] = []

  /// Throws where the equation has not one term for each rank.
  init(_ text: String, ranks: [Int]) throws {
    self.text = text
    let plain = text.filter { $0 != " " }
    let sides = plain.components(separatedBy: "->")
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false)
    guard sides.count <= 2, terms.count == ranks.count else { throw ONNXProgramError(.equation(text)) }
    var longest = 0
    for (term, rank) in zip(terms, ranks) {
      let letters = try Self.letters(String(term), free: rank - term.filter { $0 != "." }.count, text)
      guard letters.count == rank else { throw ONNXProgramError(.equation(text)) }
      longest = max(longest, letters.filter(Self.isEllipsis).count)
      inputs.append(letters)
    }
    if sides.count == 2 {
      output = try Self.letters(sides[1], free: longest, text)
    } else {
      let all = inputs.joined()
      output =
        Set(all.filter(Self.isEllipsis)).sorted()
        + Set(all.filter { letter in !Self.isEllipsis(letter) && all.filter { $0 == letter }.count == 1 }).sorted()
    }
  }

  private static func isEllipsis(_ letter: Character) -> Bool { letter >= "\u{E000}" && letter <= "\u{E0FF}" }

  /// Axes of an ellipsis are counted from the last.
  private static func letters(_ term: String, free: Int, _ text: String) throws -> [Character] {
    guard let range = term.range(of: "...") else {
      guard term.allSatisfy(\.isLetter) else { throw ONNXProgramError(.equation(text)) }
      return Array(term)
    }
    guard (0...ONNXValue.largestRank).contains(free) else { throw ONNXProgramError(.equation(text)) }
    let names = (0..<free).map { index in
      Character(Unicode.Scalar(UInt16(0xE000 + ONNXValue.largestRank - free + index)) ?? "\u{E000}")
    }
    let (before, after) = (term[..<range.lowerBound], term[range.upperBound...])
    guard (before + after).allSatisfy(\.isLetter) else { throw ONNXProgramError(.equation(text)) }
    return Array(before) + names + Array(after)
  }
}
