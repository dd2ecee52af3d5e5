import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooFormats

@testable import ZooConvert

/// Ties, views and what stands beside the weights: files by `Tests/Fixtures/make_conversion.py`.
@Suite struct CarriedAlongTests {
  private func convert(
    _ name: String, _ options: (inout Conversion) -> Void = { _ in }
  ) throws -> (Conversion.Outcome, Checkpoint, TemporaryDirectory) {
    let directory = try TemporaryDirectory()
    var conversion = Conversion(catalog: try Catalog(overlays: []))
    conversion.rereads = true
    options(&conversion)
    let outcome = try conversion.run(Fixture.path("conversion/\(name)"), to: directory.file("y.st"))
    return (outcome, try Checkpoint.open(path: directory.file("y.st")), directory)
  }

  @Test(arguments: [
    ("ties.pth", ["lm_head.weight": "wte.weight"]), ("ties-legacy.pth", ["lm_head.weight": "wte.weight"]),
    ("ties.safetensors", ["wte.weight": "lm_head.weight"]), ("ties.h5", ["wte": "lm_head"]),
  ])
  func tiedTensorsAreStoredOnceAndTiedAgain(_ name: String, _ aliases: [String: String]) throws {
    let (outcome, checkpoint, directory) = try convert(name)
    defer { directory.remove() }
    #expect(outcome.aliases == aliases)
    #expect(checkpoint.metadata.aliases == aliases)
    for (alias, stored) in aliases {
      let (a, b) = (try #require(checkpoint.stateDict[alias]), try #require(checkpoint.stateDict[stored]))
      #expect(a.storage === b.storage)
    }
    #expect(try Difference(checkpoint.stateDict, outcome.source.stateDict).entries.isEmpty)
  }

  @Test func oneInitializerThatTwoNodesReadIsOneTensor() throws {
    let (outcome, checkpoint, directory) = try convert("ties.onnx")
    defer { directory.remove() }
    #expect(checkpoint.stateDict.names == ["wte.weight"])
    #expect(outcome.aliases.isEmpty)
  }

  @Test(arguments: ["ties.pth", "ties-legacy.pth"])
  func viewsThatAreNoWholeTiesGetBytesOfTheirOwn(_ name: String) throws {
    let (outcome, checkpoint, directory) = try convert(name)
    defer { directory.remove() }
    #expect(outcome.overlaps.map(\.name) == ["projection.weight", "part.weight"])
    #expect(outcome.overlaps.map(\.other) == ["wte.weight", "wte.weight"])
    #expect(outcome.overlaps.map(\.isWhole) == [true, false])
    let table = try #require(checkpoint.stateDict["wte.weight"]).floats()
    let turned = try #require(checkpoint.stateDict["projection.weight"])
    #expect(turned.shape == [4, 6] && turned.isContiguous)
    #expect(try turned.floats() == (0..<4).flatMap { column in (0..<6).map { table[$0 * 4 + column] } })
    #expect(try checkpoint.stateDict["part.weight"]?.floats() == Array(table[8..<16]))
  }

  @Test func whatStandsBesideTheWeightsIsListedWithItsValue() throws {
    let (outcome, checkpoint, directory) = try convert("training.pth")
    defer { directory.remove() }
    let summaries = Dictionary(outcome.source.sides.map { ($0.name, $0.summary) }) { first, _ in first }
    #expect(summaries["epoch"] == "12" && summaries["best_acc"] == "0.75" && summaries["arch"] == "'tiny'")
    #expect(summaries["args"] == "argparse.Namespace of 2: lr, workers")
    #expect(summaries["rng"] == "a tensor")
    #expect(outcome.source.sides.first { $0.name == "optimizer" }?.tensorCount == 12)
    #expect(outcome.kept.isEmpty && checkpoint.metadata.kept.isEmpty)
    #expect(checkpoint.stateDict.count == 4)
  }

  @Test func anOptimizerIsCarriedUnderItsName() throws {
    let (outcome, checkpoint, directory) = try convert("training.pth") { $0.keeps = .optimizer }
    defer { directory.remove() }
    #expect(outcome.tensors == 4 && checkpoint.stateDict.count == 16)
    #expect(checkpoint.stateDict["optimizer.state.0.exp_avg"]?.shape == [4, 3])
    #expect(checkpoint.metadata.kept.values["optimizer.param_groups.0.lr"] == .number(0.01))
    #expect(checkpoint.metadata.kept.values["epoch"] == nil)
    #expect(checkpoint.metadata.kept.tensors.allSatisfy { $0.hasPrefix("optimizer.state.") })
    // Weights stay what they are to all that reads checkpoints, and a second conversion loses nothing.
    let path = directory.file("y.st")
    let file = try WeightFile.open(path: path)
    #expect(file.stateDict.names == ["0.weight", "0.bias", "1.weight", "1.bias"])
    let catalog = try Catalog(overlays: [])
    _ = try Conversion(catalog: catalog).run(path, to: directory.file("z.st"))
    #expect(try Data(contentsOf: URL(filePath: path)) == Data(contentsOf: URL(filePath: directory.file("z.st"))))
    #expect(try Verification(path: path, catalog: catalog).holds)
  }

  @Test func everythingIsCarriedOnDemand() throws {
    let (_, checkpoint, directory) = try convert("training.pth") { $0.keeps = .all }
    defer { directory.remove() }
    let values = checkpoint.metadata.kept.values
    #expect(values["epoch"] == .integer(12) && values["arch"] == .text("tiny") && values["args.workers"] == .integer(4))
    #expect(checkpoint.stateDict["rng"]?.dtype == .uint8)
  }

  @Test func kerasOptimizersAreCarriedToo() throws {
    let (outcome, checkpoint, directory) = try convert("training.keras") { $0.keeps = .optimizer }
    defer { directory.remove() }
    #expect(outcome.tensors == 4)
    #expect(!checkpoint.metadata.kept.tensors.isEmpty)
    #expect(checkpoint.metadata.kept.tensors.allSatisfy { $0.hasPrefix("optimizer.") })
  }

  @Test func whatIsReadAgainMustBeWhatWasWritten() throws {
    let (outcome, _, directory) = try convert("ties.pth")
    defer { directory.remove() }
    #expect(outcome.rereading?.identical == 5 && outcome.rereading?.rounded == 0)
    let (rounded, _, other) = try convert("ties.pth") { $0.dtype = .bfloat16 }
    defer { other.remove() }
    #expect(rounded.rereading?.rounded == 5)
    var changed = outcome.source.stateDict
    changed["own.weight"] = changed["wte.weight"]
    #expect(throws: RereadingError.self) { try Rereading(outcome.written, source: changed, dtype: nil) }
    changed["own.weight"] = nil
    #expect(throws: RereadingError.self) { try Rereading(outcome.written, source: changed, dtype: nil) }
  }

  @Test func aValueThatTheDTypeCannotHoldIsFoundAndNothingStays() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    var stateDict = StateDict()
    stateDict["x"] = try Tensor(dtype: .float32, shape: [2], storage: MemoryStorage(copying: [Float(1), 1e6]))
    try CheckpointWriter.write(stateDict, metadata: .init(), to: directory.file("x.st"))
    var conversion = Conversion(catalog: try Catalog(overlays: []))
    conversion.dtype = .float16
    conversion.rereads = true
    #expect {
      try conversion.run(directory.file("x.st"), to: directory.file("y.st"))
    } throws: { ($0 as? RereadingError)?.report.line.contains("1000000.0 and is inf in float16") == true }
    #expect(!FileManager.default.fileExists(atPath: directory.file("y.st")))
  }
}
