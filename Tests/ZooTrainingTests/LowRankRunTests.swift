import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooInference

@testable import ZooTraining

/// Whole runs of `lora`, on the demo's network and on tiny text models.
@Suite struct LowRankRunTests {
  private struct Place {
    let folder: TemporaryDirectory
    let path: String
    let network: PretrainedNetwork
    let dataset: Dataset

    func recipe(_ change: (inout LowRank) -> Void = { _ in }) throws -> Recipe {
      var recipe = try Recipe(kind: .lora, epochs: 4, batchSize: 8, learningRate: 5e-3)
      recipe.headEpochs = 2
      var settings = LowRank()
      settings.rank = 4
      change(&settings)
      recipe.lowRank = settings
      return recipe
    }

    func tuning(_ recipe: Recipe, _ name: String) -> FineTuning {
      FineTuning(alone: network, dataset, recipe, folder.file(name))
    }
  }

  private func withShapes(_ body: (Place) throws -> Void) throws {
    try DrawnShapes.with { shapes in
      try body(
        Place(
          folder: shapes.directory, path: shapes.path, network: shapes.network,
          dataset: try Dataset(folder: shapes.directory.file("data"))))
    }
  }

  @Test func whatIsChangedMovesAndTheRestStays() throws {
    try withShapes { place in
      let result = try place.tuning(place.recipe(), "run").run()
      let graph = try place.network.description.graph()
      let changed = Set(try AdaptedWeights.choose(from: graph, LowRank(), head: ["fc.weight"]).map(\.name))
      #expect(!changed.isEmpty)
      let after = try Checkpoint.open(path: result.checkpoint).stateDict
      for (name, tensor) in place.network.stateDict.tensors where !name.hasPrefix("fc.") {
        let isSame = try after[name]?.floats() == tensor.floats()
        #expect(isSame != (changed.contains(name) && result.bestEpoch > 2), "\(name)")
      }
      #expect(result.parameters.learning < result.parameters.all / 4)
      let report = try String(contentsOfFile: result.folder.report, encoding: .utf8)
      #expect(report.contains("rank 4, alpha 16") && report.contains(result.parameters.words))
      let summary = try RunSummary(folder: result.folder.path)
      #expect(summary.settings["lowRank.rank"] == "4" && summary.recipe == "lora")
      let evaluation = try Evaluation(LoadedModel(path: result.checkpoint), folder: place.dataset.folder, threads: 1)
      #expect(evaluation.accuracy == result.score)
    }
  }

  @Test func apartAndMergedEndInTheSameBits() throws {
    try withShapes { place in
      let merged = try place.tuning(place.recipe(), "merged").run()
      let apart = try place.tuning(place.recipe { $0.isKeptApart = true }, "apart").run()
      let files = FileManager.default
      #expect(!files.fileExists(atPath: apart.folder.model) && apart.checkpoint == apart.folder.adapter.weights)
      let size = try #require(try files.attributesOfItem(atPath: apart.checkpoint)[.size] as? Int)
      let whole = try #require(try files.attributesOfItem(atPath: merged.checkpoint)[.size] as? Int)
      #expect(size < whole / 2)
      let outcome = try AdapterMerge(
        adapter: apart.folder.adapter.path, onto: OpenedModel.find(place.path, catalog: Catalog.standard())
      ).write(to: place.folder.file("again.safetensors"))
      #expect(outcome.checkpoint.digest == merged.checkpointDigest)
      #expect(try LoadedModel(path: place.folder.file("again.safetensors")).labels == place.dataset.labels)
      #expect(try RunSummary(folder: apart.folder.path).accuracy == RunSummary(folder: merged.folder.path).accuracy)
      #expect(throws: TrainingError.runExists(folder: apart.folder.path)) {
        try place.tuning(place.recipe(), "apart").run()
      }
      let replaced = try place.tuning(place.recipe(), "apart").run(force: true)
      #expect(
        !files.fileExists(atPath: apart.folder.adapter.path) && replaced.checkpointDigest == merged.checkpointDigest)
    }
  }

  @Test func anAdapterOfOtherWeightsIsRefused() throws {
    try withShapes { place in
      let apart = try place.tuning(place.recipe { $0.isKeptApart = true }, "apart").run()
      let other = try place.tuning(Recipe(epochs: 1), "other").run()
      #expect {
        try AdapterMerge(
          adapter: apart.folder.adapter.path, onto: OpenedModel.find(other.checkpoint, catalog: Catalog.standard()))
      } throws: {
        if case AdapterError.otherBase = $0 { true } else { false }
      }
    }
  }

  @Test func anInterruptedRunEndsInTheSameBits() throws {
    try withShapes { place in
      var recipe = try place.recipe { $0.isKeptApart = true }
      (recipe.averaging, recipe.accumulate, recipe.clip) = (0.9, 2, 1)
      let whole = try place.tuning(recipe, "whole").run()
      var resumes = false
      for stop in [1, 3, 2, 4] {
        var steps = 0
        #expect(throws: TrainingError.self) {
          _ = try place.tuning(recipe, "parts").run(
            resume: resumes, events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps == stop })
        }
        resumes = true
      }
      let parts = try place.tuning(recipe, "parts").run(resume: true)
      #expect(parts.checkpointDigest == whole.checkpointDigest && parts.epochs == whole.epochs)
      var other = recipe
      other.lowRank?.rank = 2
      #expect(throws: TrainingError.self) {
        var steps = 0
        _ = try place.tuning(recipe, "third").run(
          events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps == 1 })
      }
      #expect {
        _ = try place.tuning(other, "third").run(resume: true)
      } throws: {
        if case TrainingError.otherRun = $0 { true } else { false }
      }
    }
  }

  @Test(arguments: ["bert", "bert_masked_lm", "roberta_masked_lm", "distilbert_masked_lm", "gpt2"])
  func textModelsLearnAndComeBackFromTheirAdapters(_ name: String) throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    let model = try TextModel(path: folder.textModel(name, tokenizer: TinyTokenizer.wordPieces))
    try Data(TextFineTuningTests.words.utf8).write(to: URL(filePath: folder.file("words.csv")))
    let dataset = try TextDataset(path: folder.file("words.csv")) {
      PretrainedText.purpose(of: model.task, hasTargets: $0)
    }
    func run(_ name: String, isKeptApart: Bool, stop: Int? = nil, resume: Bool = false) throws -> FineTuned {
      var recipe = try Recipe(.texts(.classes), kind: .lora, epochs: 12, batchSize: 4, learningRate: 2e-2)
      recipe.lowRank?.isKeptApart = isKeptApart
      var tuning = TextFineTuning(
        network: try PretrainedText(model, purpose: .classes, labels: dataset.labels), dataset: dataset, recipe: recipe,
        folder: folder.file(name))
      tuning.options.threads = 1
      var steps = 0
      return try tuning.run(
        resume: resume, events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps == stop })
    }
    let merged = try run("merged", isKeptApart: false)
    #expect(merged.score > 0.85)
    #expect(throws: TrainingError.self) { try run("apart", isKeptApart: true, stop: 13) }
    let apart = try run("apart", isKeptApart: true, resume: true)
    let again = folder.file("again.safetensors")
    let outcome = try AdapterMerge(
      adapter: apart.checkpoint, onto: OpenedModel.find(model.path, catalog: Catalog.standard())
    ).write(to: again)
    #expect(outcome.checkpoint.digest == merged.checkpointDigest)
    let tuned = try TextModel(path: again)
    #expect(tuned.labels == ["greeting", "other"])
    // Frozen weights are those of the model.
    for (name, tensor) in tuned.stateDict.tensors where name.contains("embeddings") || name.contains("wte") {
      let before = model.stateDict[name] ?? model.stateDict[name.replacing("bert.", with: "")]
      #expect(try before?.floats() == tensor.floats())
    }
    let config = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: apart.folder.adapter.config)))
        as? [String: Any])
    #expect(config["task_type"] as? String == "SEQ_CLS" && config["fan_in_fan_out"] as? Bool == (name == "gpt2"))
  }
}
