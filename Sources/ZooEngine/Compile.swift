import COneDNN
import ZooCheckpoint
import ZooGraph

/// Compiles a network for inputs of one shape.
///
/// Dropout goes away, BatchNorm goes into convolutions, sums and activations go into what stands before them, weights are
/// packed once, and values share memory where their lives don't overlap.
/// - Parameters:
///   - inputShape: [N, C, H, W] for pictures.
/// - Throws: ``EngineError``, `GraphError`.
public func compile(
  _ graph: Graph, weights: Weights, inputShape: [Int], options: CompileOptions = .init()
) throws -> Plan {
  let network = try Network(graph: graph, weights: weights)
    .removingIdentities()
    .foldingConstants()
    .removingIdleRearrangements(inputShape: inputShape)
    .composingChannelGathers(inputShape: inputShape)
    .turningLinearsIntoConvolutions(inputShape: inputShape)
    .foldingBatchNormalization()
    .foldingChannelScales()
    .fusingEpilogues()
    .wideningGroups(to: Int(zoo_channel_block()))
  return try Lowering.plan(network, inputShape: inputShape, options: options)
}
