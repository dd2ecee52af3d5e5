import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooInference
import ZooVision

@testable import ZooTraining

/// Runs to labels and to numbers, over drawn shapes with the demo's network.
@Suite struct OtherHeadTests {
  private struct Place {
    let network: PretrainedNetwork
    let directory: TemporaryDirectory

    /// - Parameter row: what a table says of a kind of shapes.
    func dataset(_ columns: String, _ row: (String) -> String, _ name: String = "t.csv") throws -> Dataset {
      var lines = ["path,split," + columns]
      for part in ["train", "val"] {
        for kind in ["arrow", "crescent", "heart"] {
          for picture in try FileManager.default.contentsOfDirectory(atPath: directory.file("\(part)/\(kind)")).sorted()
          {
            lines.append("\(part)/\(kind)/\(picture),\(part),\(row(kind))")
          }
        }
      }
      try lines.joined(separator: "\n").write(toFile: directory.file(name), atomically: true, encoding: .utf8)
      return try Dataset(folder: directory.file(name))
    }

    func tuning(_ dataset: Dataset, _ recipe: Recipe, _ folder: String = "run") -> FineTuning {
      FineTuning(alone: network, dataset, recipe, directory.file(folder))
    }
  }

  private func withShapes(_ body: (Place) throws -> Void) throws {
    try DrawnShapes.with(data: "") { shapes in
      try body(Place(network: shapes.network, directory: shapes.directory))
    }
  }

  private static let labels = ["arrow": "pointed|straight", "crescent": "pointed", "heart": ""]
  /// Far from 0 and from 1, as units are.
  private static let values = ["arrow": "1200,0.01", "crescent": "1500,0.02", "heart": "1800,0.01"]

  private func recipe(_ kind: Recipe.Kind) throws -> Recipe {
    var recipe = try Recipe(kind: kind, epochs: [.head, .mlp].contains(kind) ? 12 : 2, batchSize: 8)
    if recipe.headEpochs != nil { recipe.headEpochs = 8 }
    recipe.mixup = kind == .mlp ? 0.2 : 0
    recipe.averaging = kind == .lastN ? 0.9 : nil
    return recipe
  }

  @Test(arguments: [Recipe.Kind.head, .mlp, .lastN, .staged, .full]) func labelsAreLearnt(_ kind: Recipe.Kind) throws {
    try withShapes { place in
      let dataset = try place.dataset("labels") { Self.labels[$0] ?? "" }
      var recipe = try recipe(kind)
      recipe.balancesClasses = kind == .head
      let result = try place.tuning(dataset, recipe).run()
      let best = try #require(result.best)
      #expect(best.metric == .meanAveragePrecision && best.validationScore > 0.8 && best.trainingScore == nil)
      #expect(result.epochs.allSatisfy { $0.validationScore <= best.validationScore })
      let found = try #require(result.findings as? JudgedLabels).metrics
      #expect(abs(found.meanAveragePrecision - best.validationScore) < 1e-6)
      let model = try LoadedModel(path: result.folder.model)
      #expect(model.problem == .multiLabel && model.labels == ["pointed", "straight"])
      // The checkpoint gives what the run reported.
      let evaluation = try LabelEvaluation(model, table: dataset.folder, threads: 1)
      #expect(evaluation.metrics == found && evaluation.pictures == 24)
      #expect(throws: TrainingError.otherProblem(model: model.path, found: .multiLabel, expected: .classes)) {
        try Evaluation(model, folder: dataset.folder)
      }
      let report = try String(contentsOfFile: result.folder.report, encoding: .utf8)
      #expect(report.contains("average precision") && report.contains("binary cross-entropy"))
      #expect(!report.contains("Confusion matrix") && !report.contains("ccuracy"))
    }
  }

  @Test(arguments: [Recipe.Kind.head, .mlp, .lastN, .staged, .full])
  func numbersAreLearntInTheirUnits(_ kind: Recipe.Kind) throws {
    try withShapes { place in
      let columns = PictureColumns(problem: .regression, targets: ["size", "width"])
      _ = try place.dataset("size,width,label") { Self.values[$0, default: ""] + "," + $0 }
      let dataset = try Dataset(folder: place.directory.file("t.csv"), columns: columns)
      let result = try place.tuning(dataset, try recipe(kind)).run()
      let best = try #require(result.best)
      #expect(best.metric == .rootMeanSquaredError && best.validationScore < 120)
      #expect(result.epochs.allSatisfy { $0.validationScore >= best.validationScore })
      let found = try #require(result.findings as? JudgedValues).metrics
      #expect(found.r2 > 0.4 && abs(found.rootMeanSquaredError - best.validationScore) < 1e-3 * best.validationScore)
      let model = try LoadedModel(path: result.folder.model)
      #expect(model.problem == .regression && model.labels == ["size", "width"])
      let evaluation = try ValueEvaluation(model, table: dataset.folder, threads: 1)
      #expect(abs(evaluation.metrics.rootMeanSquaredError - found.rootMeanSquaredError) < 1e-3)
      let report = try String(contentsOfFile: result.folder.report, encoding: .utf8)
      #expect(report.contains("size: residuals") && report.contains("RMSE") && !report.contains("ccuracy"))
      let prediction = try Classifier(model, threads: 1).predict(
        Picture.decode(path: place.directory.file("val/heart/0000.png")))
      #expect(prediction.values.map(\.name) == ["size", "width"])
      #expect((800..<2300).contains(prediction.values[0].value))
    }
  }

  /// The standardised layer and the scale give the same numbers as the layer that took the scale in.
  @Test func theScaleIsTakenIn() throws {
    let rows: [[Double]] = [[10, 0.1], [12, 0.3], [20, 0.2]]
    let scale = OutputScale(rows, count: 2)
    #expect(scale.mean == [14, 0.20000000000000004])
    for row in rows {
      for (a, b) in zip(scale.inUnits(scale.standardised(row)), row) { #expect(abs(a - b) < 1e-5) }
    }
    #expect(OutputScale([[3], [3]], count: 1).deviation == [1])
  }

  @Test(arguments: ["labels", "value"]) func anInterruptedRunEndsInTheSameBits(_ column: String) throws {
    try withShapes { place in
      let words = column == "labels" ? Self.labels : Self.values.mapValues { String($0.prefix(4)) }
      let dataset = try place.dataset(column) { words[$0] ?? "" }
      var recipe = try Recipe(kind: .lastN, epochs: 2, batchSize: 8)
      recipe.headEpochs = 2
      recipe.mixup = 0.2
      let whole = try place.tuning(dataset, recipe, "whole").run()
      let parts = place.tuning(dataset, recipe, "parts")
      var steps = 0
      for stop in [2, 7, 10] {
        #expect(throws: TrainingError.self) {
          try parts.run(
            resume: stop > 2, events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps >= stop })
        }
      }
      // Other targets are other data.
      let other = try place.dataset(
        column, { (words[$0] ?? "") == "" ? "1|" : column == "value" ? "\($0.count)" : "" }, "t.csv")
      #expect(throws: TrainingError.self) { try place.tuning(other, recipe, "parts").run(resume: true) }
      let resumed = try parts.run(resume: true)
      #expect(resumed.checkpointDigest == whole.checkpointDigest && resumed.epochs == whole.epochs)
    }
  }

  @Test func whatNumbersHaveNothingOfIsRefused() throws {
    try withShapes { place in
      let dataset = try place.dataset("value") { String(Self.values[$0, default: ""].prefix(4)) }
      var recipes: [Recipe] = []
      for flag in 0..<3 {
        var recipe = try Recipe(epochs: 1)
        switch flag {
        case 0: recipe.labelSmoothing = 0.1
        case 1: recipe.cutmix = 1
        default: recipe.balancesClasses = true
        }
        recipes.append(recipe)
      }
      for recipe in recipes {
        #expect {
          try place.tuning(dataset, recipe).run()
        } throws: {
          if case TrainingError.badOption = $0 { true } else { false }
        }
        #expect(!FileManager.default.fileExists(atPath: place.directory.file("run")))
      }
    }
  }
}
