import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint

@testable import ZooConvert

@Suite struct FitTests {
  /// A tensor that takes no room: one element, repeated.
  private func tensor(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    try Tensor(
      dtype: dtype, shape: shape, strides: shape.map { _ in 0 }, storage: MemoryStorage(copying: [Float(0.25)]))
  }

  private func resnet18(classes: Int = 1000) throws -> StateDict {
    var stateDict = StateDict()
    for parameter in try Catalog(overlays: []).model(named: "resnet18").graph(classes: classes).parameters {
      stateDict[parameter.name] = try tensor(parameter.shape)
    }
    return stateDict
  }

  private func convert(
    _ stateDict: StateDict, _ options: (inout Conversion) -> Void = { _ in }
  ) throws -> (Conversion.Outcome, Checkpoint) {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try CheckpointWriter.write(stateDict, metadata: .init(), to: directory.file("x.st"))
    var conversion = Conversion(catalog: try Catalog(overlays: []))
    options(&conversion)
    let outcome = try conversion.run(directory.file("x.st"), to: directory.file("y.st"))
    return (outcome, try Checkpoint.open(path: directory.file("y.st")))
  }

  @Test func namesOfVeryManyTensorsAreListedWithoutComparingAllOfThem() {
    let tensors = { (count: Int, name: String) in
      (0..<count).map { FitReport.Counterpart(name: "\(name).\($0).weight", shape: [1]) }
    }
    for (extra, isCompared) in [(100, true), (50_000, false)] {
      let report = FitReport(
        model: "m", naming: "n", missing: tensors(100, "layer"), extra: tensors(extra, "layer1"), misshapen: [])
      #expect(report.count(\.missing) == 100 && report.count(\.extra) == extra)
      let entries = report.missing.flatMap(\.entries)
      #expect(entries.allSatisfy { $0.nearest.isEmpty } == !isCompared)
    }
  }

  private var broken: StateDict {
    get throws {
      var stateDict = try resnet18()
      stateDict["layer4.1.conv2_w"] = stateDict.tensors.removeValue(forKey: "layer4.1.conv2.weight")
      stateDict["bn1.bias"] = nil
      stateDict["layer1.0.conv1.weight"] = try tensor([64, 64, 1, 1])
      stateDict["aux.fc.weight"] = try tensor([3, 3])
      return stateDict
    }
  }

  @Test func everythingThatDoesNotFitIsListedByPrefixWithItsNearest() throws {
    let (outcome, checkpoint) = try convert(try broken)
    #expect(outcome.identification == nil)
    #expect(checkpoint.stateDict["layer4.1.conv2_w"] != nil)
    let fit = try #require(outcome.fit)
    #expect(fit.model == "resnet18")
    #expect(fit.missing.map(\.prefix) == ["bn1", "layer4.1"])
    #expect(fit.missing[1].entries[0].nearest.map(\.name) == ["layer4.1.conv2_w"])
    #expect(fit.extra.flatMap(\.entries).map(\.name).sorted() == ["aux.fc.weight", "layer4.1.conv2_w"])
    #expect(fit.misshapen[0].entries[0].expected == [64, 64, 3, 3])
    #expect(fit.summary == "2 tensors missing, 2 extra, 1 misshapen")
  }

  @Test func aModelThatIsForcedIsHeldTo() throws {
    #expect {
      try convert(try broken) { $0.model = "resnet18" }
    } throws: { error in
      guard case ConversionError.doesNotFit(_, let fit) = error else { return false }
      return fit.count(\.missing) == 2
    }
    // Nothing of it fits, and all of it is named all the same.
    #expect {
      try convert(try broken) { $0.model = "alexnet" }
    } throws: { error in
      guard case ConversionError.doesNotFit(_, let fit) = error else { return false }
      return fit.count(\.missing) == 16 && fit.count(\.extra) > 90
    }
    #expect(try convert(try resnet18()) { $0.model = "resnet18" }.0.identification?.model.name == "resnet18")
  }

  @Test func aHeadOfAnotherSizeIsKeptOrDropped() throws {
    let (kept, whole) = try convert(try resnet18(classes: 37))
    #expect(kept.identification?.classes == 37 && kept.absent.isEmpty)
    #expect(whole.stateDict["fc.weight"]?.shape == [37, 512])
    let (dropped, headless) = try convert(try resnet18(classes: 37)) { $0.dropsHead = true }
    #expect(dropped.absent == ["fc.weight", "fc.bias"])
    #expect(headless.metadata.absent == ["fc.weight", "fc.bias"])
    #expect(headless.stateDict.names.filter { $0.hasPrefix("fc.") }.isEmpty)
    var none = try resnet18()
    none["fc.weight"] = nil
    none["fc.bias"] = nil
    #expect(try convert(none).1.metadata.absent == ["fc.weight", "fc.bias"])
    var unknown = StateDict()
    unknown["x"] = try tensor([2])
    #expect(throws: ConversionError.self) { try convert(unknown) { $0.dropsHead = true } }
  }

  @Test func anAbsentHeadIsNoFaultAndAMissingTensorIs() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let catalog = try Catalog(overlays: [])
    try CheckpointWriter.write(try resnet18(classes: 4), metadata: .init(), to: directory.file("x.st"))
    var conversion = Conversion(catalog: catalog)
    conversion.dropsHead = true
    _ = try conversion.run(directory.file("x.st"), to: directory.file("y.st"))
    let verification = try Verification(path: directory.file("y.st"), catalog: catalog)
    #expect(verification.holds)
    #expect(verification.checks.last?.detail.contains("ABSENT: fc.weight, fc.bias") == true)
    let checkpoint = try Checkpoint.open(path: directory.file("y.st"))
    var less = checkpoint.stateDict
    less["layer1.0.bn1.bias"] = nil
    try CheckpointWriter.write(less, metadata: checkpoint.metadata, to: directory.file("z.st"))
    let broken = try Verification(path: directory.file("z.st"), catalog: catalog)
    #expect(!broken.holds)
    #expect(broken.fit?.missing.flatMap(\.entries).map(\.name) == ["layer1.0.bn1.bias"])
  }

  @Test func namesOfOtherFrameworksAreNear() {
    let names = NearestNames([
      .init(name: "layer1.0.conv1.weight", shape: [8, 4, 3, 3]), .init(name: "layer1.0.bn1.weight", shape: [8]),
      .init(name: "layer2.0.conv1.weight", shape: [8, 8, 3, 3]), .init(name: "fc.bias", shape: [5]),
    ])
    #expect(
      names.nearest(to: .init(name: "layer1.0.conv1.kernel", shape: [3, 3, 4, 8])).first?.name
        == "layer1.0.conv1.weight")
    #expect(names.nearest(to: .init(name: "head.b", shape: [5])).first?.name == "fc.bias")
    #expect(names.nearest(to: .init(name: "rotary.inv_freq", shape: [77])).isEmpty)
  }
}
