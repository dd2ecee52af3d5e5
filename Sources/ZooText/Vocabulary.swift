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
