import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooInference

/// A model held against what its network gave in its own framework, layer by layer from the input on.
public struct ReferenceComparison: Sendable, Encodable {
  public struct Layer: Sendable, Encodable {
    /// As the recording calls it.
    public let name: String
    /// The model's module.
    public let module: String
    public let shape: [Int]
    /// Of the recording, in its own layout.
    public let referenceShape: [Int]
    /// Largest difference as a share of the reference's largest value; infinite where shapes differ.
    public let departure: Double
    public let largestDifference: Double
    public let holds: Bool
  }
  /// Every layer that is in both, in the model's order; the last is the output where it was recorded.
  public private(set) var layers: [Layer] = []
  /// Why the first departing layer departs.
  public private(set) var cause: KnownCause?
  /// Recorded layers that are no single step of the model, or have other names.
  public private(set) var unmatched: [String] = []
  public let tolerance: Double

  public var firstDeparture: Layer? { layers.first { !$0.holds } }
  public var holds: Bool { layers.allSatisfy(\.holds) }

  /// Runs the model on the recorded input.
  ///
  /// - Parameter tolerance: the largest difference that holds, as a share of the layer's largest value.
  /// - Throws: ``ReferenceError``, `EngineError`, `GraphError`, ``TensorError``, ``FileError``.
  public init(_ model: LoadedModel, _ recording: Recording, catalog: Catalog, tolerance: Double = 1e-4) throws {
    self.tolerance = tolerance
    let pairing = RecordedLayers(recording, graph: model.graph, catalog: catalog, family: model.description.family)
    unmatched = pairing.unmatched
    let input = try Self.input(recording, model: model)
    var walk = ComparisonWalk(
      graph: model.graph, runner: NodeRunner(graph: model.graph, weights: model.weights), pairs: pairing.pairs,
      input: input, tolerance: tolerance)
    try walk.run()
    layers = walk.layers
    cause = walk.cause
    guard !layers.isEmpty else {
      throw ReferenceError.nothingToCompare(
        file: recording.path, layers: Array(recording.entries.prefix(4).map(\.layer)))
    }
  }

  /// The recorded input as [N, C, H, W].
  private static func input(_ recording: Recording, model: LoadedModel) throws -> FloatTensor {
    let channels = 3
    let tensor = recording.input
    if tensor.shape.count == 4, tensor.shape[1] != channels, tensor.shape[3] == channels,
      let moved = try ReferenceLayout.channelsFirst(tensor)
    {
      return moved
    }
    guard tensor.shape.count == 4, tensor.shape[1] == channels else {
      throw ReferenceError.inputShape(
        file: recording.path, expected: [channels] + model.preprocessing.size, found: tensor.shape)
    }
    return try FloatTensor(tensor)
  }
}
