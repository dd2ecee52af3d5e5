import ZooEngine
import ZooGraph
import ZooText

/// Text that follows a text, or answers it.
public struct TextGenerator: Sendable {
  private let model: TextModel
  private let tokens: TokenGenerator
  private let end: Int?

  /// - Parameter threads: nil for one a core.
  /// - Throws: ``ModelError``, `EngineError`, `GraphError`, `FileError`.
  public init(
    _ model: TextModel, options: GenerationOptions = GenerationOptions(), precision: SequencePrecision = .float32,
    threads: Int? = nil
  ) throws {
    try model.require(.textGeneration, .text2TextGeneration)
    self.model = model
    end = model.settings.endToken.flatMap { model.tokenizer.id(of: $0) }
    tokens = TokenGenerator(
      plan: try model.plan(precision: precision, threads: threads), options: options,
      ends: end.map { [$0] } ?? [], start: model.settings.startToken.flatMap { model.tokenizer.id(of: $0) } ?? 0)
  }

  /// - Parameter onText: called with a text's number and what is new of its answer; not in a beam search, whose answers
  ///   are known at the end.
  /// - Returns: what follows each text.
  /// - Throws: `EngineError`, `TokenizerError`.
  public func generate(_ texts: [String], onText: (Int, String) throws -> Void = { _, _ in }) throws -> [String] {
    let limit = model.maximumLength(of: tokens.plan)
    let ids = texts.map { text in
      let encoded = model.tokenizer.encode(text, maximumLength: limit.map { max(1, $0 - 1) }).ids
      // A decoder begins somewhere, even without a text.
      return encoded.isEmpty ? [end ?? 0] : encoded
    }
    var decoders = texts.map { _ in StreamingDecoder(model.tokenizer) }
    let made = try tokens.generate(ids) { index, token in try onText(index, decoders[index].append(token)) }
    for index in decoders.indices { try onText(index, decoders[index].finish()) }
    return try made.map { try model.tokenizer.decode($0) }
  }
}
