import ZooCatalog
import ZooCheckpoint
import ZooGraph

/// The demo's network: a residual network small enough to ship inside the program.
public enum DemoNetwork {
  /// Where it stands in the catalogue's data files.
  public static let file = "zoo/demo/shapes.safetensors"
  static let name = "shapes"
  static let seed: UInt64 = 20
  static let input =
    #"{"channelOrder":"RGB","interpolation":"bilinear","mean":[0.5,0.5,0.5],"size":[32,32],"std":[0.25,0.25,0.25]}"#

  static func description(classes: Int) throws -> NetworkDescription {
    try NetworkDescription(
      json: #"{"family":"resnet","config":{"block":"basic","layers":[1,1,1],"width":16,"#
        + #""stem":{"kernel":3,"stride":1,"maxPool":false}},"classes":\#(classes)}"#)
  }

  /// A network of the same kind without weights, to be trained from scratch.
  static func untrained(classes: Int) throws -> PretrainedNetwork {
    try PretrainedNetwork(untrained: name, description: description(classes: classes), input: input)
  }

  /// Trains the network on ten kinds of drawn shapes and writes it in half precision: how `zoo/demo` was made.
  ///
  /// - Parameters:
  ///   - folder: for the pictures and the run.
  ///   - path: of the checkpoint.
  /// - Returns: validation accuracy.
  public static func make(
    folder: String, to path: String, pictures: Int = 400, epochs: Int = 20,
    events: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> Double {
    let data = folder + "/pictures"
    try ShapePictures.write(ShapeKind.known, training: pictures, validation: 50, seed: seed, to: data)
    let network = try untrained(classes: ShapeKind.known.count)
    let recipe = try Recipe(
      kind: .scratch, epochs: epochs, batchSize: 32, learningRate: 3e-3, seed: seed)
    var tuning = FineTuning(
      network: network, dataset: try Dataset(folder: data), recipe: recipe, folder: folder + "/run")
    tuning.cacheFolder = nil
    let result = try tuning.run(force: true, events: events)
    let checkpoint = try Checkpoint.open(path: result.folder.model)
    try CheckpointWriter.write(
      checkpoint.stateDict, metadata: checkpoint.metadata, to: path, dtype: .float16, overwrite: true)
    return result.score
  }
}
