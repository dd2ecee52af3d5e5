import COneDNN
import ZooCheckpoint
import ZooGraph

/// Steps that weigh and reorder channels.
extension Lowering {
  /// In the place of what is gated, where nobody reads that later.
  mutating func lowerGate(_ node: Node) throws {
    let source = try blocked(node.inputs[0])
    let gates = try blocked(node.inputs[1])
    let target = try output(of: node)
    if isLastRead(of: node.inputs[0], source, by: node) { share(target, placeOf: source) }
    try step(node.name, zoo_network_add_gate(handle, source, gates, target), reads: [source, gates], writes: target)
  }

  mutating func lowerGather(_ node: Node, _ channels: [Int]) throws {
    let parts = try node.inputs.map { try blocked($0) }
    let target = try output(of: node)
    guard shapes[node.output.index].count == 4 else {
      throw EngineError.unsupported(node: node.name, problem: "channels are gathered of pictures only")
    }
    let numbers = channels.map(Int32.init)
    let number = parts.withUnsafeBufferPointer { parts in
      zoo_network_add_channel_gather(handle, Int32(parts.count), parts.baseAddress, target, numbers)
    }
    try step(node.name, number, reads: parts, writes: target)
  }
}
