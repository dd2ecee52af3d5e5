import ZooCheckpoint
import ZooFormats
import ZooGraph

/// Operators that weigh and reorder channels.
extension NativeImporter {
  /// min(max(x / 6 + 1/2, 0), 1).
  mutating func addHardSigmoid(_ node: ONNXModel.Node) -> Bool {
    guard abs(node.float("alpha", 0.2) - 1 / 6) < 1e-4, node.float("beta", 0.5) == 0.5 else { return false }
    return addActivation(.hardSigmoid, node)
  }

  /// Pictures times a gate for each of their channels, or x · hardSigmoid(x), which older operator sets write in two steps.
  mutating func addGate(_ node: ONNXModel.Node) -> Bool {
    guard let a = seen(node, 0), let b = seen(node, 1), a.view == nil, b.view == nil else { return false }
    for (x, gates) in [(a, b), (b, a)] {
      if let index = producer(of: gates.value), case .activation(.hardSigmoid) = graph.nodes[index].operation,
        graph.nodes[index].inputs == [x.value]
      {
        return emit(.activation(.hardSwish), [x.value], node)
      }
    }
    for (x, gates) in [(a, b), (b, a)] where x.shape.count == 4 && gates.shape == x.shape.prefix(2) + [1, 1] {
      return emit(.gate, [x.value, gates.value], node)
    }
    return false
  }

  /// Several channels, taken out in some order.
  mutating func addGatheredChannels(_ node: ONNXModel.Node) -> Bool {
    guard let x = flowing(node, 0), x.shape.count == 4, node.integer("axis", 0) == 1, let places = constant(node, 1),
      places.shape.count == 1, let channels = integers(places, atMost: 1 << 16)
    else { return false }
    return emit(.gatherChannels(channels), [x.value], node)
  }
}
