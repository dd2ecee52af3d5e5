/// Finds every piece that a text begins with, a byte at a time.
struct PieceTrie: Sendable {
  private var children: [UInt64: Int32] = [:]
  /// The piece that ends at a node; -1 where none does.
  private var ids: [Int32] = [-1]

  mutating func add(_ piece: [UInt8], _ id: Int) {
    var node: Int32 = 0
    for byte in piece {
      let key = Self.key(node, byte)
      if let next = children[key] {
        node = next
      } else {
        let next = Int32(ids.count)
        children[key] = next
        ids.append(-1)
        node = next
      }
    }
    ids[Int(node)] = Int32(id)
  }

  /// Calls `body` with the end of each piece that stands at `start`, the shortest first.
  func forEachPiece(at start: Int, in text: [UInt8], _ body: (_ end: Int, _ id: Int) -> Void) {
    var node: Int32 = 0
    for position in start..<text.count {
      guard let next = children[Self.key(node, text[position])] else { return }
      node = next
      if ids[Int(node)] >= 0 { body(position + 1, Int(ids[Int(node)])) }
    }
  }

  private static func key(_ node: Int32, _ byte: UInt8) -> UInt64 { UInt64(node) << 8 | UInt64(byte) }
}
