import COneDNN
import ZooGraph

extension Lowering {
  /// Of the second input only the size is read, so that its memory is free as soon as nobody else needs it.
  mutating func lowerResize(_ node: Node) throws {
    let source = try blocked(node.inputs[0])
    guard shapes[node.inputs[0].index] != shapes[node.output.index] else { return share(source, by: node.output) }
    let target = try output(of: node)
    try step(node.name, zoo_network_add_resize(handle, source, target), reads: [source], writes: target)
  }
}
