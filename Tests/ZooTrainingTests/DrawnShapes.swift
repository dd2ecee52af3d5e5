import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooInference

@testable import ZooTraining

/// The demo's network as it ships, and pictures of three kinds of shapes that it has never seen.
struct DrawnShapes {
  let network: PretrainedNetwork
  /// Of the network.
  let path: String
  let directory: TemporaryDirectory

  /// - Parameter data: the folder within the directory that the pictures lie in.
  static func with(data: String = "data", _ body: (DrawnShapes) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = directory.file("shapes.safetensors")
    try Data(try #require(try Catalog.standard().contents(of: DemoNetwork.file))).write(to: URL(filePath: path))
    try ShapePictures.write(
      ShapeKind.unseen, training: 8, validation: 8, seed: 5, to: data.isEmpty ? directory.path : directory.file(data))
    try body(DrawnShapes(network: PretrainedNetwork(LoadedModel(path: path)), path: path, directory: directory))
  }
}

extension FineTuning {
  /// On one thread, with features that are kept nowhere.
  init(alone network: PretrainedNetwork, _ dataset: Dataset, _ recipe: Recipe, _ folder: String) {
    self.init(network: network, dataset: dataset, recipe: recipe, folder: folder)
    cacheFolder = nil
    options.threads = 1
  }
}
