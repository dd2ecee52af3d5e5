/// What a model, which nobody need trust, may take from the machine.
public struct ONNXLimits: Sendable {
  /// Bytes of all values alive at once, weights not counted.
  public var memory: Int
  /// Nodes run in all, each turn of a loop counted.
  public var steps: Int
  /// Nodes once functions are written out.
  public var nodes: Int
  /// Bodies and functions inside one another.
  public var depth: Int
  /// Bytes of one value that is computed ahead because it depends on constants only.
  public var foldedValue: Int

  public init(
    memory: Int = 4 << 30, steps: Int = 1 << 24, nodes: Int = 1 << 20, depth: Int = 64, foldedValue: Int = 64 << 20
  ) {
    self.memory = memory
    self.steps = steps
    self.nodes = nodes
    self.depth = depth
    self.foldedValue = foldedValue
  }
}
