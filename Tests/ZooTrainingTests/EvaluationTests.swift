import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint

@testable import ZooInference
@testable import ZooTraining

@Suite struct EvaluationTests {
  /// From statsmodels' `proportion_confint(count, total, method="wilson")`.
  @Test(arguments: [
    (0, 10, 0.0, 0.2775327998628892), (7, 10, 0.3967781474, 0.8922087326), (58, 60, 0.8863622572, 0.9908106807),
    (1000, 1000, 0.9961732415, 1.0),
  ])
  func intervalsAreWilsons(_ count: Int, _ total: Int, _ low: Double, _ high: Double) {
    let found = Proportion(count, of: total)
    #expect(abs(found.low - low) < 1e-9 && abs(found.high - high) < 1e-9, "\(found)")
  }

  /// Two bins: confidence 0.8 with three of four right, 0.55 with none of two.
  @Test func calibrationErrorIsThePapers() {
    var calibration = Calibration()
    for isRight in [true, true, true, false] { calibration.add(confidence: 0.8, isRight: isRight) }
    for _ in 0..<2 { calibration.add(confidence: 0.55, isRight: false) }
    #expect(abs(calibration.error - (4 * 0.05 + 2 * 0.55) / 6) < 1e-12)
    #expect(calibration.bins[11].pictures == 4 && calibration.bins[8].pictures == 2)
    calibration.add(confidence: 1, isRight: true)
    calibration.add(confidence: 0, isRight: true)
    #expect(calibration.bins[14].pictures == 1 && calibration.bins[0].pictures == 1)
  }

  @Test func mirroredRowsAreReversed() throws {
    let picture = FloatTensor(shape: [1, 2, 3], values: [1, 2, 3, 4, 5, 6])
    #expect(try picture.mirrored().values() == [3, 2, 1, 6, 5, 4])
  }

  @Test func picturesAndTheirMirrorImagesAreJudgedByTheMeanOfBoth() {
    let first = Prediction(logits: [2, 0, -1], labels: ["a", "b", "c"])
    let second = Prediction(logits: [-3, 1, 4], labels: ["a", "b", "c"])
    let mean = first.averaged(with: second).probabilities
    for (index, found) in mean.enumerated() {
      #expect(abs(found - (first.probabilities[index] + second.probabilities[index]) / 2) < 1e-6)
    }
  }

  @Test func imageNetsFoldersAreThoseOfItsSynsets() throws {
    let catalog = try Catalog(overlays: [])
    let labels = try catalog.model(named: "resnet50").labels
    let names = try catalog.folderNames(forLabels: labels)
    #expect(names.count == 1000)
    // Tench, golden retriever, toilet tissue.
    #expect(names["n01440764"] == 0 && names["n02099601"] == 207 && names["n15075141"] == 999)
    #expect(try catalog.folderNames(forLabels: ["a", "b"]).isEmpty)
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    for name in ["n02099601", "tench"] {
      try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
      try Data([1]).write(to: URL(filePath: folder.file(name + "/a.jpg")))
    }
    let found = try ClassFolders(folder: folder.path, known: labels, names: names).examples
    #expect(found.map(\.label) == [0, 207])
    #expect(throws: DataError.self) { try ClassFolders(folder: folder.path, known: labels) }
  }
}
