import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooInference
import ZooVision

@testable import ZooTraining

/// Runs of tiny segmentation networks over drawn pictures.
@Suite struct SegmentationFineTuningTests {
  private func with(
    _ name: String, _ body: (PretrainedNetwork, SegmentationDataset, TemporaryDirectory) throws -> Void
  ) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    _ = try SegmentationNetwork.write(name, to: directory.file("network.safetensors"))
    let drawn = DrawnMasks(folder: directory.file("data"))
    try drawn.write(10)
    let network = try PretrainedNetwork(
      LoadedModel(path: directory.file("network.safetensors")), for: .imageSegmentation)
    try body(network, try SegmentationDataset(path: drawn.folder), directory)
  }

  private func tuning(
    _ network: PretrainedNetwork, _ dataset: SegmentationDataset, _ recipe: Recipe, _ folder: String
  ) -> SegmentationFineTuning {
    var tuning = SegmentationFineTuning(network: network, dataset: dataset, recipe: recipe, folder: folder)
    tuning.options.threads = 1
    return tuning
  }

  private func recipe(_ kind: Recipe.Kind, epochs: Int = 3) throws -> Recipe {
    var recipe = try Recipe(.pixels, kind: kind, epochs: epochs, learningRate: 1e-2)
    recipe.pictureSize = 32
    return recipe
  }

  @Test(arguments: ["fcn", "deeplabv3", "lraspp"])
  func theLayersOfTheClassesLearnAloneOnAFrozenRest(name: String) throws {
    try with(name) { network, dataset, directory in
      let result = try tuning(network, dataset, recipe(.head), directory.file("run")).run()
      let checkpoint = try Checkpoint.open(path: result.folder.model)
      let new =
        name == "lraspp"
        ? ["low_classifier.weight", "low_classifier.bias", "high_classifier.weight", "high_classifier.bias"]
        : ["4.weight", "4.bias"]
      #expect(result.newlyInitialised == new.map { "classifier." + $0 })
      for name in result.newlyInitialised { #expect(checkpoint.stateDict[name]?.shape[0] == 3) }
      for (name, tensor) in network.stateDict.tensors where !result.newlyInitialised.contains(name) {
        #expect(try checkpoint.stateDict[name]?.floats() == tensor.floats(), "\(name)")
      }
      let losses = result.epochs.map(\.trainingLoss)
      #expect(losses[2] < losses[0])
      #expect(checkpoint.metadata.labels == ["class 0", "class 1", "class 2"])
      // What is told of the run is what the checkpoint gives.
      let evaluation = try SegmentationEvaluation(
        LoadedModel(path: result.folder.model), data: dataset.path, threads: 1)
      #expect(evaluation.pictures == 10)
      try DrawnMasks(folder: directory.file("held")).write(1)
      for example in dataset.validation {
        for (folder, path) in [("images", example.path), ("masks", example.maskPath)] {
          let target = directory.file("held/\(folder)/" + URL(filePath: path).lastPathComponent)
          try? FileManager.default.removeItem(atPath: target)
          try FileManager.default.copyItem(atPath: path, toPath: target)
        }
      }
      let names = Set(dataset.validation.map { URL(filePath: $0.path).lastPathComponent })
      if !names.contains("0.png") {
        for folder in ["images", "masks"] { try DrawnMasks(folder: directory.file("held")).remove(folder + "/0.png") }
      }
      let held = try SegmentationEvaluation(
        LoadedModel(path: result.folder.model), data: directory.file("held"), threads: 1)
      #expect(held.confusion == (result.findings as? JudgedPixels)?.confusion)
      #expect(abs(held.loss - (result.best?.validationLoss ?? 0)) < 1e-6)
    }
  }

  @Test func aNetworkLearnsFromNothing() throws {
    try with("lraspp") { network, dataset, directory in
      var recipe = try recipe(.scratch, epochs: 25)
      recipe.augmentation = try Augmentation(parsing: "flip")
      let result = try tuning(network, dataset, recipe, directory.file("run")).run()
      // A network that says background everywhere reaches less than a third of 1.
      #expect(result.score > 0.5, "\(result.epochs)")
      #expect((result.findings as? JudgedPixels)?.confusion.meanIntersectionOverUnion == result.score)
      let checkpoint = try Checkpoint.open(path: result.folder.model)
      #expect(try Preprocessing(json: checkpoint.metadata.input ?? "").resize == 32)
      let page = try String(contentsOfFile: result.folder.report, encoding: .utf8)
      #expect(page.contains("mean IoU") && page.contains("class 2") && page.contains("Worst pictures"))
      let summary = try RunSummary(folder: result.folder.path)
      #expect(summary.best?.epoch == result.bestEpoch)
    }
  }

  @Test(arguments: Recipe.Kind.allCases.filter { $0 != .mlp })
  func anInterruptedRunEndsInTheSameWeights(kind: Recipe.Kind) throws {
    try with(kind == .full ? "fcn" : "lraspp") { network, dataset, directory in
      var recipe = try recipe(kind)
      recipe.augmentation = try Augmentation(parsing: "standard,rotate,jitter")
      recipe.averaging = kind == .full ? 0.9 : nil
      recipe.labelSmoothing = 0.1
      recipe.balancesClasses = true
      recipe.batchSize = 3
      if kind == .staged { recipe.unfreeze = 2 }
      let whole = try tuning(network, dataset, recipe, directory.file("whole")).run()
      let parts = tuning(network, dataset, recipe, directory.file("parts"))
      var steps = 0
      #expect(throws: TrainingError.interrupted(folder: parts.folder.path, epoch: 2, epochs: 3)) {
        try parts.run(events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps == 5 })
      }
      let resumed = try parts.run(resume: true)
      #expect(resumed.checkpointDigest == whole.checkpointDigest)
      #expect(resumed.epochs == whole.epochs)
      recipe.balancesClasses = false
      let other = try tuning(network, dataset, recipe, directory.file("other")).run()
      #expect(other.checkpointDigest != whole.checkpointDigest)
    }
  }

  @Test func anotherSetOfMasksIsAnotherRun() throws {
    try with("lraspp") { network, dataset, directory in
      let run = tuning(network, dataset, try recipe(.head), directory.file("run"))
      var steps = 0
      #expect(throws: TrainingError.self) {
        try run.run(events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps == 2 })
      }
      let mask = try ClassMask.decode(path: dataset.training[0].maskPath)
      let drawn = DrawnMasks(folder: dataset.path)
      try drawn.save(
        mask.resized(width: 20, height: 16).resized(width: 40, height: 32),
        "masks/" + URL(filePath: dataset.training[0].maskPath).lastPathComponent)
      let changed = tuning(network, try SegmentationDataset(path: dataset.path), try recipe(.head), run.folder.path)
      #expect(throws: TrainingError.self) { try changed.run(resume: true) }
    }
  }

  @Test func whatOnlyClassifiersHaveIsRefused() throws {
    try with("fcn") { network, dataset, directory in
      for change: (inout Recipe) -> Void in [
        { $0.mixup = 1 }, { $0.cutmix = 1 }, { $0.views = 2 }, { $0.kind = .mlp }, { $0.pictureSize = 4 },
      ] {
        var recipe = try recipe(.head)
        change(&recipe)
        #expect(throws: TrainingError.self) { try tuning(network, dataset, recipe, directory.file("run")).run() }
      }
      #expect(!FileManager.default.fileExists(atPath: directory.file("run")))
      #expect(throws: ModelError.self) {
        try PretrainedNetwork(LoadedModel(path: directory.file("network.safetensors")))
      }
    }
  }

  @Test func aPictureThatGoesAwayEndsTheRunWithItsName() throws {
    try with("lraspp") { network, dataset, directory in
      let run = tuning(network, dataset, try recipe(.head, epochs: 6), directory.file("run"))
      let lost = dataset.training[3].maskPath
      var steps = 0
      #expect(throws: TrainingError.self) {
        try run.run(events: {
          if case .step = $0 { steps += 1 }
          if steps == 3 { try? FileManager.default.removeItem(atPath: lost) }
        })
      }
      #expect(FileManager.default.fileExists(atPath: run.folder.state))
    }
  }
}
