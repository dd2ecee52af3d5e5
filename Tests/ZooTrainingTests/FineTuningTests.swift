import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooInference
import ZooVision

@testable import ZooTraining

/// Runs over drawn shapes with the demo's network as it ships.
@Suite struct FineTuningTests {
  private func withShapes(_ body: (PretrainedNetwork, Dataset, TemporaryDirectory) throws -> Void) throws {
    try DrawnShapes.with { shapes in
      try body(shapes.network, try Dataset(folder: shapes.directory.file("data")), shapes.directory)
    }
  }

  private func tuning(_ network: PretrainedNetwork, _ dataset: Dataset, _ recipe: Recipe, _ folder: String)
    -> FineTuning
  {
    FineTuning(alone: network, dataset, recipe, folder)
  }

  @Test func aNewHeadLearnsAndTheRestStaysAsItWas() throws {
    try withShapes { network, dataset, directory in
      let run = tuning(network, dataset, try Recipe(epochs: 8), directory.file("run"))
      let result = try run.run()
      #expect(result.score > 0.7)
      #expect(result.epochs.count == 8)
      let checkpoint = try Checkpoint.open(path: result.folder.model)
      #expect(checkpoint.metadata.labels == ["arrow", "crescent", "heart"])
      #expect(checkpoint.stateDict["fc.weight"]?.shape == [3, 64])
      for (name, tensor) in network.stateDict.tensors where !name.hasPrefix("fc.") {
        #expect(try checkpoint.stateDict[name]?.floats() == tensor.floats())
      }
      // The checkpoint gives the accuracy that the run reported.
      let evaluation = try Evaluation(LoadedModel(path: result.folder.model), folder: dataset.folder, threads: 1)
      #expect(evaluation.accuracy == result.score)
      let summary = try RunSummary(folder: run.folder.path)
      #expect(summary.accuracy == Proportion(result.confusion.correct, of: result.confusion.total))
    }
  }

  @Test func aHeadThatIsAConvolutionLearnsToo() throws {
    try withShapes { _, dataset, directory in
      let config = #"{"stem": {"channels": 8, "kernel": 3}, "squeezes": [[2, 4], [8]], "dropout": 0}"#
      let description = NetworkDescription(
        family: "squeezenet", config: try JSONDecoder().decode(JSONValue.self, from: Data(config.utf8)), classes: 5)
      var stateDict = StateDict()
      let weights = RandomWeights.make(for: try description.graph(), seed: 1)
      for (name, tensor) in weights.sorted(by: { $0.key < $1.key }) { stateDict[name] = try tensor.stored() }
      var metadata = CheckpointMetadata()
      metadata.config = description.json
      metadata.labels = ["a", "b", "c", "d", "e"]
      metadata.input = """
        {"channelOrder":"RGB","crop":32,"interpolation":"bilinear","mean":[0.5,0.5,0.5],"resize":32,"size":[32,32],\
        "std":[0.25,0.25,0.25]}
        """
      try CheckpointWriter.write(stateDict, metadata: metadata, to: directory.file("squeeze.safetensors"))
      let network = try PretrainedNetwork(LoadedModel(path: directory.file("squeeze.safetensors")))
      let result = try tuning(network, dataset, try Recipe(epochs: 6), directory.file("squeezed")).run()
      let losses = result.epochs.map(\.trainingLoss)
      #expect(losses[5] < 0.95 * losses[0])
      let checkpoint = try Checkpoint.open(path: result.folder.model)
      #expect(checkpoint.stateDict["classifier.1.weight"]?.shape == [3, 64, 1, 1])
      for (name, tensor) in stateDict.tensors where !name.hasPrefix("classifier.") {
        #expect(try checkpoint.stateDict[name]?.floats() == tensor.floats())
      }
    }
  }

  @Test(arguments: Recipe.Kind.allCases)
  func anInterruptedRunEndsInTheSameWeights(kind: Recipe.Kind) throws {
    try withShapes { network, dataset, directory in
      var recipe = try Recipe(kind: kind, epochs: 3, batchSize: 8, labelSmoothing: 0.1, seed: 3)
      recipe.averaging = kind == .full ? 0.9 : nil
      recipe.headEpochs = kind == .staged ? nil : 0
      let whole = try tuning(network, dataset, recipe, directory.file("whole")).run()
      let parts = tuning(network, dataset, recipe, directory.file("parts"))
      var steps = 0
      #expect(throws: TrainingError.interrupted(folder: parts.folder.path, epoch: 2, epochs: 3)) {
        try parts.run(
          events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps == 5 })
      }
      #expect(throws: TrainingError.runUnfinished(folder: parts.folder.path)) { try parts.run() }
      let resumed = try parts.run(resume: true)
      #expect(resumed.checkpointDigest == whole.checkpointDigest)
      #expect(resumed.epochs == whole.epochs)
      #expect(!FileManager.default.fileExists(atPath: parts.folder.state))
    }
  }

  @Test func hiddenLayersLearnAndTravelWithTheCheckpoint() throws {
    try withShapes { network, dataset, directory in
      var recipe = try Recipe(kind: .mlp, epochs: 10)
      recipe.hidden = [32]
      let result = try tuning(network, dataset, recipe, directory.file("run")).run()
      #expect(result.score > 0.7)
      #expect(result.newlyInitialised == ["fc.0.weight", "fc.0.bias", "fc.3.weight", "fc.3.bias"])
      let checkpoint = try Checkpoint.open(path: result.folder.model)
      #expect(checkpoint.stateDict["fc.0.weight"]?.shape == [32, 64] && checkpoint.stateDict["fc.weight"] == nil)
      let evaluation = try Evaluation(LoadedModel(path: result.folder.model), folder: dataset.folder, threads: 1)
      #expect(evaluation.accuracy == result.score)
      // A second run replaces its hidden layers, or builds on them.
      let again = try PretrainedNetwork(LoadedModel(path: result.folder.model))
      recipe.hidden = [8, 8]
      let deeper = try tuning(again, dataset, recipe, directory.file("deeper")).run()
      #expect(try Checkpoint.open(path: deeper.folder.model).stateDict["fc.3.weight"]?.shape == [8, 8])
      let on = try tuning(again, dataset, try Recipe(epochs: 1), directory.file("on")).run()
      #expect(on.newlyInitialised == ["fc.3.weight", "fc.3.bias"])
    }
  }

  @Test(arguments: [nil, true]) func statisticsMoveWhereTheyAreAskedToAndTheirLayerLearns(usesBatch: Bool?) throws {
    try withShapes { network, dataset, directory in
      var recipe = try Recipe(kind: .lastN, epochs: 1)
      recipe.usesBatchStatistics = usesBatch
      recipe.headEpochs = nil
      recipe.frozenNames = ["layer3.0.bn1.*"]
      let checkpoint = try Checkpoint.open(
        path: tuning(network, dataset, recipe, directory.file("run")).run().folder.model)
      for (name, tensor) in network.stateDict.tensors where name.contains("running") {
        let moves = usesBatch == true && name.hasPrefix("layer3.") && !name.contains("layer3.0.bn1")
        #expect(try (checkpoint.stateDict[name]?.floats() != tensor.floats()) == moves, "\(name)")
      }
    }
  }

  @Test(arguments: ["standard", "views", "cutmix", "linear"])
  func changedPicturesAreTheSameAfterAnInterruption(how: String) throws {
    try withShapes { network, dataset, directory in
      var recipe = try Recipe(kind: how == "linear" ? .head : .lastN, epochs: 3, batchSize: 8, seed: 3)
      recipe.augmentation = how == "cutmix" ? Augmentation() : try Augmentation(parsing: "standard,jitter,erase")
      recipe.views = how == "views" ? 2 : 0
      (recipe.mixup, recipe.cutmix) = (0.5, how == "cutmix" ? 1 : 0)
      recipe.headEpochs = nil
      let plain = try tuning(
        network, dataset, Recipe(kind: recipe.kind, epochs: 3, batchSize: 8, seed: 3), directory.file("p")
      ).run()
      let whole = try tuning(network, dataset, recipe, directory.file("whole")).run()
      #expect(whole.checkpointDigest != plain.checkpointDigest)
      let parts = tuning(network, dataset, recipe, directory.file("parts"))
      var steps = 0
      #expect(throws: TrainingError.interrupted(folder: parts.folder.path, epoch: 2, epochs: 3)) {
        try parts.run(events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps == 4 })
      }
      #expect(try parts.run(resume: true).checkpointDigest == whole.checkpointDigest)
    }
  }

  @Test func aPictureThatGoesAwayWhileTheRunIsOnIsNamedAndNothingIsLost() throws {
    try withShapes { network, dataset, directory in
      var recipe = try Recipe(kind: .lastN, epochs: 3, batchSize: 8, seed: 3)
      recipe.augmentation.flip = 0.5
      recipe.headEpochs = nil
      let whole = try tuning(network, dataset, recipe, directory.file("whole")).run()
      let run = tuning(network, dataset, recipe, directory.file("run"))
      let picture = dataset.training[5].path
      let content = try Data(contentsOf: URL(filePath: picture))
      #expect {
        try run.run(events: { if case .epoch = $0 { unlink(picture) } })
      } throws: {
        if case TrainingError.unreadablePicture(picture, _) = $0 { true } else { false }
      }
      try content.write(to: URL(filePath: picture))
      #expect(try run.run(resume: true).checkpointDigest == whole.checkpointDigest)
    }
  }

  @Test func thawedStagesLearnAndFrozenOnesStayAsTheyAre() throws {
    try withShapes { network, dataset, directory in
      var recipe = try Recipe(kind: .lastN, epochs: 1)
      recipe.headEpochs = nil
      let run = tuning(network, dataset, recipe, directory.file("run"))
      let checkpoint = try Checkpoint.open(path: run.run().folder.model)
      for (name, tensor) in network.stateDict.tensors where tensor.dtype.isFloatingPoint && !name.hasPrefix("fc.") {
        let isLearnt = name.hasPrefix("layer3.") && !name.contains("running")
        #expect(try (checkpoint.stateDict[name]?.floats() == tensor.floats()) == !isLearnt, "\(name)")
      }
    }
  }

  /// Else the run of one would be resumed with the other.
  @Test func networksWithoutWeightsAreToldApart() throws {
    let models = try Catalog.standard().models.filter { ["resnet18", "resnet34"].contains($0.name) }
    let networks = try models.map { try PretrainedNetwork(untrained: $0) }
    #expect(networks.count == 2 && networks[0].digest != networks[1].digest)
    let other = try #require(try Catalog.standard().models.first { $0.name == "fcn_resnet50" })
    #expect(throws: ModelError.self) { try PretrainedNetwork(untrained: other) }
  }

  @Test func anotherRecipeIsNotResumed() throws {
    try withShapes { network, dataset, directory in
      let first = tuning(network, dataset, try Recipe(epochs: 3), directory.file("run"))
      var steps = 0
      #expect(throws: TrainingError.self) {
        try first.run(events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps > 0 })
      }
      let other = tuning(network, dataset, try Recipe(epochs: 4), directory.file("run"))
      #expect {
        try other.run(resume: true)
      } throws: {
        if case TrainingError.otherRun(_, "the recipe", _, _) = $0 { true } else { false }
      }
    }
  }

  @Test func brokenPicturesAreCountedAndLeftOut() throws {
    try withShapes { network, dataset, directory in
      try Data("no picture".utf8).write(to: URL(filePath: directory.file("data/train/heart/bad.png")))
      let data = try Dataset(folder: directory.file("data"))
      let result = try tuning(network, data, try Recipe(epochs: 1), directory.file("run")).run()
      #expect(result.skipped.map(\.name) == ["train/heart/bad.png"])
    }
  }

  @Test func theReportIsWholeAndSafe() throws {
    try withShapes { network, dataset, directory in
      var run = tuning(network, dataset, try Recipe(epochs: 1), directory.file("run"))
      run.title = "<script>alert(1)</script>"
      let result = try run.run()
      let html = try String(contentsOfFile: result.folder.report, encoding: .utf8)
      #expect(!html.contains("<script"))
      #expect(html.contains("&lt;script&gt;"))
      #expect(!html.contains("http://") && !html.contains("https://"))
      #expect(html.hasSuffix("</html>\n"))
    }
  }

  @Test func impossibleCutsAreNamed() throws {
    try withShapes { network, dataset, directory in
      #expect {
        try tuning(network, dataset, try Recipe(unfreeze: 99), directory.file("run")).run()
      } throws: {
        if case TrainingError.tooManyStages(99, _) = $0 { true } else { false }
      }
      #expect(!FileManager.default.fileExists(atPath: directory.file("run")))
    }
  }

  @Test func aRateIsFoundAndShown() throws {
    try withShapes { network, dataset, directory in
      let run = tuning(network, dataset, try Recipe(), directory.file("run"))
      let suggestion = try #require(try run.findRate().suggestion)
      #expect((1e-4...1).contains(suggestion))
      #expect(try String(contentsOfFile: run.folder.rates, encoding: .utf8).contains("Suggested: --learning-rate"))
      #expect(!FileManager.default.fileExists(atPath: run.folder.model))
    }
  }

  @Test func featuresOfAnInterruptedRunAreKept() throws {
    try withShapes { network, dataset, directory in
      var run = tuning(network, dataset, try Recipe(epochs: 1), directory.file("run"))
      run.cacheFolder = directory.file("cache")
      var done = 0
      #expect(throws: TrainingError.interrupted(folder: run.folder.path, epoch: 1, epochs: 1)) {
        try run.run(events: { if case .features(let count, _) = $0 { done = count } }, isInterrupted: { done >= 16 })
      }
      let resumed = try run.run(resume: true)
      #expect(resumed.cached == 16)
    }
  }
}
