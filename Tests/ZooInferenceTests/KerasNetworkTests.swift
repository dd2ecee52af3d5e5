import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooFormats

/// Small networks that Keras built, saved and ran (`make_keras.py`).
@Suite struct KerasNetworkTests {
  /// The catalogue with small networks in the place of the known ones.
  static func catalog(in directory: TemporaryDirectory) throws -> Catalog {
    let networks = [
      (
        "keras_resnet50", "resnet",
        #"{"block": "bottleneck", "layers": [2, 2], "width": 4, "strideFirst": true, "convolutionBias": true, "epsilon": 1.001e-5}"#
      ),
      ("convnext_tiny", "convnext", #"{"depths": [1, 2, 1, 1], "widths": [4, 6, 8, 10]}"#),
    ]
    for (name, family, config) in networks {
      let folder = directory.file("zoo/\(family)")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let json = """
        {"name": "\(name)", "title": "Small", "family": "\(family)", "task": "image-classification",
         "config": \(config), "classes": 5, "input": {"size": [32, 32]}, "parameters": 1, "gflops": 1, "weights": []}
        """
      try json.write(toFile: "\(folder)/\(name).json", atomically: true, encoding: .utf8)
    }
    return try Catalog(overlays: [directory.path])
  }

  @Test(arguments: [
    ("resnet", "weights.h5", "keras_resnet50"), ("resnet", "h5", "keras_resnet50"),
    ("convnext", "weights.h5", "convnext_tiny"), ("convnext", "h5", "convnext_tiny"),
  ])
  func logitsAreKerass(network: String, suffix: String, model: String) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let file = try WeightFile.open(path: Fixture.path("keras/\(network).\(suffix)"))
    let found = try #require(try Self.catalog(in: directory).identify(file.stateDict).certain)
    #expect(found.model.name == model)
    #expect(found.naming == "keras")
    #expect(found.isExact)
    #expect(found.classes == 5)
    let reference = try SafetensorsReader.read(
      MappedFile(path: Fixture.path("keras/\(network).logits.safetensors"))
    ).stateDict
    let input = try FloatTensor(#require(reference["input"]))
    let expected = try #require(reference["logits"]).floats()
    let logits = try ReferenceBackend.run(
      found.description.graph(), weights: found.canonical(file.stateDict).floatWeights(), input: input)[0].values()
    let largest = expected.map(abs).max() ?? 0
    #expect(logits.count == expected.count && largest > 0.1)
    for (value, wanted) in zip(logits, expected) { #expect(abs(value - wanted) <= 1e-4 * largest) }
  }
}
