import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooInference

@testable import ZooConvert

/// Recordings by `Tests/Fixtures/make_verify.py`, made by the lines that `zoo verify --how` prints; each but the first of
/// a network has one deliberate difference.
@Suite struct ReferenceTests {
  private func compare(_ model: String, _ recording: String, tolerance: Double = 1e-4) throws -> ReferenceComparison {
    let catalog = try Catalog(overlays: [])
    return try ReferenceComparison(
      LoadedModel(path: Fixture.path("verify/\(model).safetensors"), catalog: catalog),
      Recording(path: Fixture.path("verify/\(recording).npz")), catalog: catalog, tolerance: tolerance)
  }

  @Test(arguments: [
    ("resnet", "resnet", 29), ("resnet", "resnet-onnx", 20), ("resnet", "resnet-onnx-dynamo", 12),
    ("vgg", "vgg-keras", 7), ("convnext", "convnext", 16),
  ])
  func aRightModelHoldsInEveryLayer(_ model: String, _ recording: String, _ layers: Int) throws {
    let comparison = try compare(model, recording)
    #expect(comparison.holds)
    #expect(comparison.cause == nil)
    #expect(comparison.layers.count == layers)
    #expect(comparison.layers.last?.name == "output")
    #expect(comparison.layers.allSatisfy { $0.departure < 5e-6 })
  }

  @Test(arguments: [
    ("resnet", "resnet-epsilon", "bn1", KnownCause.Kind.epsilon, "the reference's is 0.001, this model's 1e-05"),
    ("resnet", "resnet-epsilon-odd", "bn1", .epsilon, "the reference's is 0.0037"),
    ("resnet", "resnet-stride", "layer2.0.conv1", .stride, "the reference steps by 2 here, this model by 1"),
    ("resnet", "resnet-ceil", "maxpool", .ceilMode, "the reference's is yes"),
    ("resnet", "resnet-training", "bn1", .trainingMode, "the batch's own mean"),
    ("resnet", "resnet-same", "layer2.0.conv2", .padding, "pads as TensorFlow's SAME, this model 1 on each side"),
    ("resnet", "resnet-bias", "layer1.0.conv3", .missingBias, "the reference adds another one"),
    ("resnet", "resnet-silu", "relu", .activation, "the reference's is SiLU"),
    ("resnet-bgr", "resnet", "conv1", .channelOrder, "BGR"),
    ("resnet-flipped", "resnet", "layer1.0.conv2", .kernelFlip, "180 degrees"),
    ("resnet-deviation", "resnet", "layer2.0.bn3", .swappedParameters, "standard deviation"),
    ("resnet-shuffled", "resnet", "layer2.0.conv1", .channelPermutation, "another order"),
    ("vgg-flatten", "vgg-keras", "classifier.0", .flattenOrder, "HWC"),
    ("vgg-transposed", "vgg-keras", "classifier.3", .transposedWeight, "transposed weight"),
    ("vgg-reshaped", "vgg-keras", "features.5", .kernelLayout, "HWIO"),
    ("vgg-bgr", "vgg-keras", "features.0", .channelOrder, "BGR"),
  ])
  func theFirstDepartingLayerAndItsCauseAreNamed(
    _ model: String, _ recording: String, _ module: String, _ kind: KnownCause.Kind, _ words: String
  ) throws {
    let comparison = try compare(model, recording)
    #expect(!comparison.holds)
    #expect(comparison.firstDeparture?.module == module)
    #expect(comparison.layers.prefix { $0.holds }.allSatisfy { $0.departure < 5e-6 })
    let cause = try #require(comparison.cause)
    #expect(cause.kind == kind)
    #expect(cause.layer == module)
    #expect(cause.words.contains(words), "\(cause.words)")
    #expect(cause.remaining < 1e-6)
  }

  /// Steps that no recording sees, such as an activation within a layer, are found out by what follows them.
  @Test(arguments: [
    (
      "convnext", "convnext-tanh", "features.1.0.block.5", "features.1.0.block.gelu", KnownCause.Kind.activation,
      "the reference's is GELU (tanh approximation), this model's gelu"
    ),
    (
      "convnext", "convnext-quick", "features.1.0.block.5", "features.1.0.block.gelu", .activation,
      "the reference's is GELU (sigmoid approximation)"
    ),
    (
      "convnext", "convnext-epsilon", "features.0.1", "features.0.1", .epsilon,
      "LayerNorm epsilon: the reference's is 1e-05, this model's 1e-06"
    ),
    (
      "inception", "inception-uncounted", "Mixed_5b.branch_pool.conv", "Mixed_5b.avgpool", .countIncludePad,
      "count_include_pad: the reference's is no, this model's yes"
    ),
  ])
  func aStepThatWasNotRecordedIsNamedAsTheCause(
    _ model: String, _ recording: String, _ module: String, _ layer: String, _ kind: KnownCause.Kind, _ words: String
  ) throws {
    let comparison = try compare(model, recording)
    #expect(comparison.firstDeparture?.module == module)
    #expect(comparison.layers.prefix { $0.holds }.allSatisfy { $0.departure < 5e-6 })
    let cause = try #require(comparison.cause)
    #expect(cause.kind == kind)
    #expect(cause.layer == layer)
    #expect(cause.words.contains(words), "\(cause.words)")
    #expect(cause.remaining < 1e-6)
  }

  @Test func theToleranceDecidesWhatHolds() throws {
    #expect(try !compare("resnet", "resnet", tolerance: 1e-9).holds)
    #expect(try compare("resnet", "resnet-epsilon", tolerance: 10).holds)
  }

  @Test func aRecordingOfAnotherNetworkIsRefused() throws {
    let catalog = try Catalog(overlays: [])
    let model = try LoadedModel(path: Fixture.path("verify/vgg.safetensors"), catalog: catalog)
    #expect {
      try Recording(path: Fixture.path("verify/vgg.safetensors"))
    } throws: { ($0 as? ReferenceError)?.report.line.contains("no tensor called input") == true }
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    func recording(_ shape: [Int], _ name: String) throws -> Recording {
      var stateDict = StateDict()
      for (key, shape) in [("input", shape), (name, [2, 2])] {
        let values = [Float](repeating: 0.5, count: shape.reduce(1, *))
        stateDict[key] = try Tensor(dtype: .float32, shape: shape, storage: MemoryStorage(copying: values))
      }
      try CheckpointWriter.write(stateDict, metadata: .init(), to: directory.file("R.st"), overwrite: true)
      return try Recording(path: directory.file("R.st"))
    }
    #expect(throws: ReferenceError.self) {
      try ReferenceComparison(model, recording([1, 5, 16, 16], "torch:features.0"), catalog: catalog)
    }
    #expect(throws: ReferenceError.self) {
      try ReferenceComparison(model, recording([1, 3, 16, 16], "torch:elsewhere"), catalog: catalog)
    }
    let small = try ReferenceComparison(model, recording([1, 3, 16, 16], "torch:features.0"), catalog: catalog)
    #expect(small.firstDeparture?.departure == .infinity)
    #expect(small.cause == nil)
  }

  @Test func namesOfExportedGraphsAreModulePaths() {
    #expect(Recording.modulePath("|layer1|layer1.0|conv1|Conv_output_0") == "layer1.0.conv1")
    #expect(Recording.modulePath("|fc|Gemm_output_0") == "fc")
    #expect(Recording.modulePath("layer1.0.conv1") == "layer1.0.conv1")
  }
}
