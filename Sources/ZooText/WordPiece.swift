/// Words out of the longest pieces that begin them: Wu et al., "Google's Neural Machine Translation System", 2016, as BERT
/// has it.
struct WordPiece: Sendable {
  var vocabulary: Vocabulary
  var unknown: Int
  /// What a piece inside a word begins with.
  var continuation = Array("##".utf8)
  /// Characters in the longest word that is taken apart; longer ones are unknown.
  var longestWord = 100

  func encode(_ word: Substring) -> [Int] {
    let bytes = Array(word.utf8)
    let ends = Self.characterEnds(bytes)
    guard ends.count <= longestWord else { return [unknown] }
    var ids: [Int] = []
    var start = 0
    var first = ends.startIndex
    while start < bytes.count {
      guard
        let end = ends[first...].indices.reversed().first(where: { id(of: bytes[start..<ends[$0]], start) != nil }),
        let id = id(of: bytes[start..<ends[end]], start)
      else { return [unknown] }
      ids.append(id)
      start = ends[end]
      first = end + 1
    }
    return ids
  }

  private func id(of bytes: ArraySlice<UInt8>, _ start: Int) -> Int? {
    vocabulary.id(of: start == 0 ? Array(bytes) : continuation + bytes)
  }

  private static func characterEnds(_ bytes: [UInt8]) -> [Int] {
    bytes.indices.filter { $0 + 1 == bytes.count || bytes[$0 + 1] & 0xC0 != 0x80 }.map { $0 + 1 }
  }
}
