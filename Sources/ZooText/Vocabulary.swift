/// Pieces and their ids.
struct Vocabulary: Sendable {
  /// Beyond the ids of any vocabulary.
  static let limit = 1 << 24
  private var ids: [[UInt8]: Int] = [:]
  private var pieces: [Int: [UInt8]] = [:]
  /// One more than the highest id.
  private(set) var size = 0

  var count: Int { ids.count }

  mutating func add(_ piece: [UInt8], _ id: Int) {
    ids[piece] = id
    pieces[id] = piece
    size = max(size, id + 1)
  }

  func id(of piece: [UInt8]) -> Int? { ids[piece] }
  func piece(_ id: Int) -> [UInt8]? { pieces[id] }
}

extension Vocabulary {
  /// An object of pieces and their ids.
  ///
  /// - Throws: ``TokenizerError/missing(file:field:expected:)``.
  init(_ json: JSONTree?, file: String, field: String) throws(TokenizerError) {
    self.init()
    for (piece, value) in json?.members ?? [] {
      guard let id = value.integer, (0..<Self.limit).contains(id) else {
        throw .missing(file: file, field: "\(field).\(String(decoding: piece, as: UTF8.self))", expected: "an id")
      }
      add(piece, id)
    }
    guard count > 0 else { throw .missing(file: file, field: field, expected: "pieces and their ids") }
  }
}
