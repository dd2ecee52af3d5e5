import ZooCheckpoint

/// What a tokenizer needs of a model that SentencePiece trained: of a `ModelProto` of sentencepiece_model.proto
/// (https://github.com/google/sentencepiece), whose field numbers these are.
struct SentencePieceModel {
  enum PieceType: UInt64 {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  struct Piece {
    var text: [UInt8] = []
    var score: Float = 0
    var type = PieceType.normal
  }

  private(set) var pieces: [Piece] = []
  /// `precompiled_charsmap`; empty: text stays as it is.
  private(set) var characterMap: [UInt8] = []
  /// TrainerSpec's `ModelType`: unigram, bpe, word, char, counted from 1.
  private var algorithm: UInt64 = 1
  private var hasByteFallback = false
  private let file: String

  /// - Throws: ``TokenizerError``: bytes that are no such model, or a model that isn't Unigram's.
  init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
    self.file = file
    try bytes.withUnsafeBufferPointer { (bytes) throws(TokenizerError) in
      try read(UnsafeRawBufferPointer(bytes))
    }
    guard !pieces.isEmpty else { throw .missing(file: file, field: "pieces", expected: "at least one") }
    guard algorithm == 1 else {
      let names = ["BPE", "word", "char"]
      let found = (2...4).contains(algorithm) ? names[Int(algorithm) - 2] : String(algorithm)
      throw .unsupported(file: file, part: "trainer_spec.model_type", found: found, known: ["Unigram"])
    }
    guard !hasByteFallback else {
      throw .unsupported(file: file, part: "trainer_spec.byte_fallback", found: "true", known: ["false"])
    }
  }

  private mutating func read(_ bytes: UnsafeRawBufferPointer) throws(TokenizerError) {
    var model = MessageReader(bytes, start: 0, file: file)
    while let field = try model.next() {
      switch field.number {
      case 1:
        guard pieces.count < Vocabulary.limit else {
          throw .missing(file: file, field: "pieces", expected: "fewer than \(Vocabulary.limit)")
        }
        pieces.append(try piece(model.message(field)))
      case 2:
        var trainer = try model.message(field)
        while let field = try trainer.next() {
          if field.number == 3 { algorithm = try trainer.integer(field) }
          if field.number == 35 { hasByteFallback = try trainer.integer(field) != 0 }
        }
      case 3:
        var normalizer = try model.message(field)
        while let field = try normalizer.next() {
          if field.number == 2 { characterMap = Array(try normalizer.bytes(field)) }
        }
      default: break
      }
    }
  }

  private func piece(_ message: MessageReader) throws(TokenizerError) -> Piece {
    var (message, piece) = (message, Piece())
    while let field = try message.next() {
      switch field.number {
      case 1: piece.text = Array(try message.bytes(field))
      case 2: piece.score = try message.float(field)
      case 3: piece.type = PieceType(rawValue: try message.integer(field)) ?? .normal
      default: break
      }
    }
    let name = "pieces[\(pieces.count)]"
    guard !piece.text.isEmpty, String(validating: piece.text, as: UTF8.self) != nil else {
      throw .missing(file: file, field: name + ".piece", expected: "a text in UTF-8 that is not empty")
    }
    guard piece.score.isFinite else {
      throw .missing(file: file, field: name + ".score", expected: "a finite number, found \(piece.score)")
    }
    return piece
  }
}

/// The fields of a message, where one that is cut short or of another type is an error with its place.
private struct MessageReader {
  typealias Field = (number: UInt64, value: ProtobufFields.Value)

  private var fields: ProtobufFields
  private let base: UnsafeRawPointer?
  private let start: Int
  private let file: String

  init(_ bytes: UnsafeRawBufferPointer, start: Int, file: String) {
    fields = ProtobufFields(bytes)
    base = bytes.baseAddress
    self.start = start
    self.file = file
  }

  mutating func next() throws(TokenizerError) -> Field? {
    if let field = fields.next() { return field }
    guard fields.isWhole else { throw failure("a protobuf field that is cut short, or of no known type") }
    return nil
  }

  func message(_ field: Field) throws(TokenizerError) -> MessageReader {
    let bytes = try bytes(field)
    let offset = base.flatMap { base in bytes.baseAddress.map { $0 - base } } ?? 0
    return MessageReader(bytes, start: start + offset, file: file)
  }

  func bytes(_ field: Field) throws(TokenizerError) -> UnsafeRawBufferPointer {
    guard case .bytes(let bytes) = field.value else { throw failure("field \(field.number) holds no bytes") }
    return bytes
  }

  func integer(_ field: Field) throws(TokenizerError) -> UInt64 {
    guard case .varint(let value) = field.value else { throw failure("field \(field.number) is no integer") }
    return value
  }

  func float(_ field: Field) throws(TokenizerError) -> Float {
    guard case .fixed32(let bits) = field.value else { throw failure("field \(field.number) is no number of 32 bits") }
    return Float(bitPattern: bits)
  }

  private func failure(_ problem: String) -> TokenizerError {
    .malformed(file: file, offset: start + fields.position, problem: problem)
  }
}
