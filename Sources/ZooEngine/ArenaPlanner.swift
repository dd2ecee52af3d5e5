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

  private struct Placed {
    let steps: ClosedRange<Int>
    let place: Range<Int>
  }

  /// Byte offsets by request, and the size of the whole. Largest first, each at the lowest place free for its lifetime:
  /// Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020, "greedy by size".
  static func place(_ requests: [Request]) -> (offsets: [Int: Int], bytes: Int) {
    // By their offsets.
    var placed: [Placed] = []
    var offsets: [Int: Int] = [:]
    var total = 0
    for request in requests.sorted(by: { ($0.bytes, $1.id) > ($1.bytes, $0.id) }) {
      let size = (request.bytes + alignment - 1) / alignment * alignment
      let steps = request.first...request.last
      var offset = 0
      for other in placed where other.steps.overlaps(steps) {
        if offset + size <= other.place.lowerBound { break }
        offset = max(offset, other.place.upperBound)
      }
      offsets[request.id] = offset
      total = max(total, offset + size)
      let behind = placed.firstIndex { $0.place.lowerBound > offset } ?? placed.endIndex
      placed.insert(Placed(steps: steps, place: offset..<offset + size), at: behind)
    }
    return (offsets, total)
  }
}
