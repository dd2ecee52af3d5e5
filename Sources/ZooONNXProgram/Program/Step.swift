import Synchronization

/// One node, ready to run: its kernel, and the places of its values in the frame.
final class Step: Sendable {
  let node: BoundNode
  /// Version of the operator set that the node was written for.
  let opset: Int
  let kernel: Kernel
  /// Places; nil is an input left out.
  let inputs: [Int?]
  /// Places; nil is a result that nobody asked for.
  let outputs: [Int?]
  /// Whether each input is the same in every run.
  let isConstant: [Bool]
  let bodies: [String: Block]
  /// Whatever the kernel prepared in an earlier run, such as packed weights.
  let prepared = Mutex<(any Sendable)?>(nil)

  init(
    node: BoundNode, opset: Int, kernel: @escaping Kernel, inputs: [Int?], outputs: [Int?], isConstant: [Bool],
    bodies: [String: Block]
  ) {
    self.node = node
    self.opset = opset
    self.kernel = kernel
    self.inputs = inputs
    self.outputs = outputs
    self.isConstant = isConstant
    self.bodies = bodies
  }
}

/// Steps with their own inputs and outputs: a graph, or the body of a loop or a branch.
struct Block: Sendable {
  var inputs: [Int] = []
  var outputs: [Int] = []
  var steps: [Step] = []
  /// After each step, the places that this block reads no more.
  var releases: [[Int]] = []
  /// Places that this block itself fills.
  var own: Set<Int> = []
  /// Places of enclosing blocks that it reads.
  var captured: Set<Int> = []
}

/// Computes a node's results. What it gives beyond the node's outputs is dropped.
typealias Kernel = @Sendable (KernelCall) throws -> [ONNXValue]
