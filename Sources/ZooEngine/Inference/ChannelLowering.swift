import COneDNN
import ZooCheckpoint
import ZooGraph

/// Steps that work on channels rather than on windows.
extension Lowering {
  mutating func lowerNormalization(_ node: Node, axis: Int, epsilon: Float) throws {
    let shape = shapes[node.inputs[0].index]
    let isBlocked = shape.count == 4 && axis == 1
    var source = isBlocked ? try blocked(node.inputs[0]) : try tensor(node.inputs[0])
    if shape.count == 4, !isBlocked, node.inputs[0] != network.graph.input {
      let plain = try addTensor(shape, ZOO_PLAIN)
      try step("reorder", zoo_network_add_reorder(handle, source, plain), reads: [source], writes: plain)
      source = plain
    }
    let result = isBlocked || shape.count != 4 ? try output(of: node) : try addTensor(shape, ZOO_PLAIN)
    let (scale, shift) = (try values(of: node.inputs[1]), try values(of: node.inputs[2]))
    let number = zoo_network_add_layer_normalization(handle, source, result, Int32(axis), scale, shift, epsilon)
    try step(node.name, number, reads: [source], writes: result)
    guard shape.count == 4, !isBlocked else { return }
    let target = try output(of: node)
    try step("reorder", zoo_network_add_reorder(handle, result, target), reads: [result], writes: target)
  }

  func values(of value: ValueID) throws -> [Float] {
    let name = try name(of: value)
    guard let tensor = network.weights[name] else { throw EngineError.missingWeight(name: name) }
    return try tensor.values()
  }

  /// Channels of one picture in whole blocks stand one after another, so that the parts can be made where the result is
  /// and nothing is copied; else a copy is made.
  mutating func lowerConcatenation(_ node: Node, axis: Int) throws {
    let shape = shapes[node.output.index]
    let parts = try node.inputs.map { try blocked($0) }
    let target = try output(of: node)
    let block = Int(zoo_channel_block())
    let isInPlace =
      axis == 1 && shape.count == 4 && shape[0] == 1 && node.inputs.allSatisfy { shapes[$0.index][1] % block == 0 }
    guard isInPlace else {
      let number = parts.withUnsafeBufferPointer {
        zoo_network_add_concatenation(handle, Int32(parts.count), $0.baseAddress, target, Int32(axis))
      }
      return try step(node.name, number, reads: parts, writes: target)
    }
    var offset = 0
    for (part, value) in zip(parts, node.inputs) {
      if places[part] == nil, isMadeHere(part) {
        stand(part, in: target, offset: offset)
      } else {
        let copy = try addTensor(shapes[value.index], ZOO_BLOCKED)
        stand(copy, in: target, offset: offset)
        try step("copy", zoo_network_add_reorder(handle, part, copy), reads: [part], writes: copy)
      }
      offset += Int(zoo_network_tensor_bytes(handle, part))
    }
  }
}
