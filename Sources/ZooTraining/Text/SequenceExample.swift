import ZooInference
import ZooText

/// A text as a network takes it, with what the rows of the output should say.
struct SequenceExample: Sendable, Equatable {
  var ids: [Int]
  var typeIDs: [Int]
  /// What the decoder is given; nil for a network without one.
  var decoder: [Int]?
  var targets: [Int]

  var length: Int { ids.count + (decoder?.count ?? 0) }
}

/// Makes examples of texts.
struct SequenceExamples {
  let tokenizer: Tokenizer
  let settings: TextSettings
  /// Tokens that are kept of a text, and of an answer.
  let maximumLength: Int
  /// For errors.
  let file: String

  /// One for each text; of continuations, which are joined and cut anew, one for each block.
  ///
  /// - Throws: ``TrainingError``.
  func make(_ texts: [TextExample]) throws(TrainingError) -> [SequenceExample] {
    guard case .itself? = texts.first?.target else {
      var examples: [SequenceExample] = []
      for text in texts { examples.append(try example(text)) }
      return examples
    }
    return try blocks(texts)
  }

  private func example(_ text: TextExample) throws(TrainingError) -> SequenceExample {
    let encoding = tokenizer.encode(text.text, pair: text.pair, maximumLength: maximumLength)
    guard !encoding.ids.isEmpty else { throw .emptyText(name: text.name) }
    var example = SequenceExample(ids: encoding.ids, typeIDs: encoding.typeIDs, targets: [text.label])
    if case .answer(let answer) = text.target {
      let ids = tokenizer.encode(answer, maximumLength: maximumLength).ids
      guard !ids.isEmpty else { throw .emptyText(name: text.name) }
      example.decoder = [try id(of: settings.startToken, "startToken")] + ids.dropLast()
      example.targets = ids
    }
    return example
  }

  /// All texts in one row, a token that ends texts behind each, in blocks; the last token of a block is only told, never
  /// read.
  private func blocks(_ texts: [TextExample]) throws(TrainingError) -> [SequenceExample] {
    let end = try id(of: settings.endToken, "endToken")
    let all = texts.flatMap { tokenizer.encode($0.text, addingSpecialTokens: false).ids + [end] }
    var examples: [SequenceExample] = []
    for start in stride(from: 0, to: all.count - 1, by: maximumLength) {
      let last = min(start + maximumLength, all.count - 1)
      let ids = Array(all[start..<last])
      examples.append(
        SequenceExample(
          ids: ids, typeIDs: [Int](repeating: 0, count: ids.count), targets: Array(all[start + 1..<last + 1])))
    }
    return examples
  }

  private func id(of token: String?, _ field: String) throws(TrainingError) -> Int {
    guard let id = token.flatMap(tokenizer.id(of:)) else { throw .noToken(file: file, field: field) }
    return id
  }
}
