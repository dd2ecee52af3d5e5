import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooVision

@testable import ZooInference

@Suite struct ClassifierTests {
  private func withDemoNetwork(_ body: (String, TemporaryDirectory) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let bytes = try #require(try Catalog.standard().contents(of: "zoo/demo/shapes.safetensors"))
    try Data(bytes).write(to: URL(filePath: directory.file("shapes.safetensors")))
    try body(directory.file("shapes.safetensors"), directory)
  }

  /// A filled shape on a light ground.
  private func drawn(_ isInside: (Double, Double) -> Bool) -> Picture {
    var pixels: [UInt8] = []
    for y in 0..<32 {
      for x in 0..<32 {
        let inside = isInside((Double(x) - 15.5) / 12, (Double(y) - 15.5) / 12)
        pixels += inside ? [200, 30, 40] : [250, 250, 250]
      }
    }
    return Picture(width: 32, height: 32, pixels: pixels)
  }

  @Test func aCheckpointSaysAllThatPredictionNeeds() throws {
    try withDemoNetwork { path, _ in
      let classifier = try Classifier(LoadedModel(path: path), batch: 2, threads: 1)
      #expect(classifier.model.labels.count == 10)
      let pictures = [
        drawn { max(abs($0), abs($1)) < 0.92 && min(abs($0), abs($1)) < 0.3 }, drawn { max(abs($0), abs($1)) < 0.78 },
      ]
      let predictions = try classifier.predict(pictures)
      #expect(predictions.map { $0.top(1)[0].label } == ["cross", "square"])
      for prediction in predictions {
        #expect(abs(prediction.probabilities.reduce(0, +) - 1) < 1e-9)
        let top = prediction.top(20)
        #expect(top.count == 10)
        #expect(zip(top, top.dropFirst()).allSatisfy { $0.probability >= $1.probability })
      }
      // Alone and beside another picture a picture gives the same.
      let alone = try classifier.predict(pictures[1])
      for (a, b) in zip(alone.logits, predictions[1].logits) { #expect(abs(a - b) < 1e-4) }
    }
  }

  @Test func anUnknownNetworkIsNamed() throws {
    let path = Fixture.path("pytorch/dtypes-p2.pth")
    #expect {
      try LoadedModel(path: path)
    } throws: {
      if case ModelError.notIdentified(path, _) = $0 { true } else { false }
    }
  }

  @Test func aModelThatIsNotInTheStoreIsNamed() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let store = ModelStore(environment: ["ZOO_HOME": directory.path])
    let catalog = try Catalog.standard()
    #expect(throws: ModelError.notInStore(model: "resnet18")) {
      try LoadedModel.find("resnet18", catalog: catalog, store: store)
    }
    #expect(throws: CatalogError.self) { try LoadedModel.find("resnet17", catalog: catalog, store: store) }
  }

  @Test func missingPreprocessingIsNamed() throws {
    try withDemoNetwork { path, directory in
      let checkpoint = try Checkpoint.open(path: path)
      var metadata = checkpoint.metadata
      metadata.input = nil
      let other = directory.file("other.safetensors")
      try CheckpointWriter.write(checkpoint.stateDict, metadata: metadata, to: other)
      #expect(throws: ModelError.noPreprocessing(file: other)) { try LoadedModel(path: other) }
    }
  }
}
