/// Gives each value of a plan a place in one block of memory; values that don't live at the same time share places.
struct ArenaPlanner {
  struct Request {
    let id: Int
    let bytes: Int
    /// Steps at which the value is first written and last read.
    let first: Int
    var last: Int
  }
  static let alignment = 4096

  /// Byte offsets by request, and the size of the whole. Largest first, each at the lowest place free for its lifetime.
  static func place(_ requests: [Request]) -> (offsets: [Int: Int], bytes: Int) {
    var placed: [(request: Request, offset: Int)] = []
    var total = 0
    for request in requests.sorted(by: { ($0.bytes, $1.id) > ($1.bytes, $0.id) }) {
      let neighbours = placed.filter { $0.request.first <= request.last && request.first <= $0.request.last }
        .sorted { $0.offset < $1.offset }
      let size = (request.bytes + alignment - 1) / alignment * alignment
      var offset = 0
      for neighbour in neighbours {
        if offset + size <= neighbour.offset { break }
        let end = neighbour.offset + (neighbour.request.bytes + alignment - 1) / alignment * alignment
        offset = max(offset, end)
      }
      placed.append((request, offset))
      total = max(total, offset + size)
    }
    return (Dictionary(uniqueKeysWithValues: placed.map { ($0.request.id, $0.offset) }), total)
  }
}
