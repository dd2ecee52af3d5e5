/// Which nodes of a pickle hold a tensor somewhere inside, so that a walk never enters the rest.
struct TensorReach {
  private let bears: [Bool]

  init(_ heap: PickleHeap) {
    var parents: [(child: Int32, parent: Int32)] = []
    var queue: [Int] = []
    var bears = [Bool](repeating: false, count: heap.nodes.count)
    for (index, node) in heap.nodes.enumerated() {
      if TensorRebuilder.isTensor(index, heap: heap) {
        bears[index] = true
        queue.append(index)
        continue
      }
      func link(_ value: PickleValue) {
        if case .node(let child) = value { parents.append((Int32(child), Int32(index))) }
      }
      node.items.forEach(link)
      node.entries.forEach { link($0.value) }
      link(node.arguments)
      link(node.state)
    }
    parents.sort { $0.child < $1.child }
    while let child = queue.popLast() {
      var position = Self.firstIndex(of: Int32(child), in: parents)
      while position < parents.count, parents[position].child == child {
        let parent = Int(parents[position].parent)
        if !bears[parent] {
          bears[parent] = true
          queue.append(parent)
        }
        position += 1
      }
    }
    self.bears = bears
  }

  func contains(_ value: PickleValue) -> Bool {
    if case .node(let index) = value { bears[index] } else { false }
  }

  private static func firstIndex(of child: Int32, in parents: [(child: Int32, parent: Int32)]) -> Int {
    var (low, high) = (0, parents.count)
    while low < high {
      let middle = (low + high) / 2
      if parents[middle].child < child { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
