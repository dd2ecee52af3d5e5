import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooInference

@testable import ZooTraining

/// Adapters as PEFT saves them, and as runs do.
@Suite struct AdapterTests {
  private func withFolder(_ body: (TemporaryDirectory) throws -> Void) throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try body(folder)
  }

  private static let preprocessing = """
    {"channelOrder":"RGB","crop":12,"interpolation":"bilinear","mean":[0.5,0.5,0.5],"resize":12,"size":[12,12],\
    "std":[0.25,0.25,0.25]}
    """
  private static let vit =
    #"{"patch": 8, "layers": 2, "heads": 2, "hiddenSize": 12, "mlpSize": 20, "imageSize": 16}"#

  /// The network that a picture's adapter was made for, as a checkpoint.
  private func pictureModel(_ name: String, in folder: TemporaryDirectory) throws -> (
    path: String, pictures: FloatTensor
  ) {
    var stateDict = try Checkpoint.open(path: Fixture.path("lora/\(name)/base.safetensors")).stateDict
    let pictures = try FloatTensor(try #require(stateDict["pictures"]))
    stateDict["pictures"] = nil
    let isResNet = name == "resnet"
    var metadata = CheckpointMetadata()
    metadata.config =
      NetworkDescription(
        family: isResNet ? "resnet" : "vision_transformer",
        config: try JSONDecoder().decode(
          JSONValue.self, from: Data((isResNet ? LowRankFixture.resnet : Self.vit).utf8)),
        classes: isResNet ? 5 : 4
      ).json
    metadata.labels = (0..<(isResNet ? 5 : 4)).map { "class \($0)" }
    metadata.input = Self.preprocessing
    let path = folder.file("\(name).safetensors")
    try CheckpointWriter.write(stateDict, metadata: metadata, to: path)
    return (path, pictures)
  }

  private func merge(_ adapter: String, _ model: String, to output: String) throws -> AdapterMerge.Outcome {
    try AdapterMerge(adapter: adapter, onto: OpenedModel.find(model, catalog: Catalog.standard())).write(to: output)
  }

  private func expectEqual(_ found: [Float], _ expected: FloatTensor?) throws {
    let expected = try #require(try expected?.values())
    try #require(found.count == expected.count)
    let largest = expected.map(abs).max() ?? 0
    let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
    #expect(difference < 2e-5 * largest, "\(difference) of \(largest)")
  }

  @Test(arguments: ["bert_sequences", "bert", "roberta_sequences", "distilbert_sequences", "gpt2_sequences", "t5"])
  func adaptersOfPEFTGiveItsMergedModel(_ name: String) throws {
    try withFolder { folder in
      let isLetters = name.hasPrefix("gpt2") || name == "t5" || name.hasPrefix("roberta")
      let model = try folder.textModel(name, tokenizer: isLetters ? TinyTokenizer.characters : TinyTokenizer.wordPieces)
      let outcome = try merge(Fixture.path("lora/\(name)"), model, to: folder.file("merged.safetensors"))
      #expect(outcome.changed > 0)
      let merged = try TextModel(path: folder.file("merged.safetensors"))
      let answer = try Checkpoint.open(path: Fixture.path("lora/\(name)/expected.safetensors"))
      func fact<T: Decodable>(_ key: String) throws -> T? {
        try answer.metadata.others[key].map { try JSONDecoder().decode(T.self, from: Data($0.utf8)) }
      }
      let plan = try SequenceTrainingPlan(graph: merged.graph, weights: merged.weights, trainable: [])
      let output = try plan.output(
        SequenceBatch(
          .tokens(SequenceInput(ids: try #require(try fact("ids")), typeIDs: try fact("types"))),
          decoder: try fact("decoder")))
      try expectEqual(output.values(), answer.stateDict.floatWeights()["logits"])
      #expect(merged.task == (name == "t5" ? .text2TextGeneration : .textClassification))
    }
  }

  @Test(arguments: ["resnet", "vit"]) func adaptersOfPicturesGiveTheMergedModel(_ name: String) throws {
    try withFolder { folder in
      let (model, pictures) = try pictureModel(name, in: folder)
      _ = try merge(Fixture.path("lora/\(name)"), model, to: folder.file("merged.safetensors"))
      let merged = try LoadedModel(path: folder.file("merged.safetensors"))
      let head = (try #require(merged.graph.headModule)) + ".weight"
      let plan = try TrainingPlan(
        graph: merged.graph, weights: merged.weights, trainable: [head], inputShape: Array(pictures.shape.dropFirst()),
        options: TrainingOptions(dropsOut: false, batchStatistics: []))
      let step = try pictures.withValues { try plan.step($0, labels: [Int](repeating: 0, count: pictures.shape[0])) }
      try expectEqual(
        step.logits,
        Checkpoint.open(path: Fixture.path("lora/\(name)/expected.safetensors")).stateDict.floatWeights()["logits"])
    }
  }

  /// Copies an adapter of PEFT's and changes it.
  private func broken(
    _ folder: TemporaryDirectory, config: (inout [String: Any]) -> Void = { _ in },
    tensors: (inout StateDict) throws -> Void = { _ in }
  ) throws -> String {
    let from = AdapterFolder(path: Fixture.path("lora/bert_sequences"))
    let to = AdapterFolder(path: folder.file("adapter"))
    try Folder.make(to.path)
    var fields = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: from.config))) as? [String: Any])
    config(&fields)
    try JSONSerialization.data(withJSONObject: fields).write(to: URL(filePath: to.config))
    var stateDict = try Checkpoint.open(path: from.weights).stateDict
    try tensors(&stateDict)
    try CheckpointWriter.write(stateDict, metadata: CheckpointMetadata(), to: to.weights, overwrite: true)
    return to.path
  }

  private func refusal(_ adapter: String, in folder: TemporaryDirectory, of model: String = "bert_sequences") throws
    -> AdapterError?
  {
    let path = folder.file("model.safetensors")
    let base =
      FileManager.default.fileExists(atPath: path)
      ? path : try folder.textModel(model, tokenizer: TinyTokenizer.wordPieces)
    var refusal: AdapterError?
    do {
      _ = try merge(adapter, base, to: folder.file("merged.safetensors"))
    } catch let error as AdapterError {
      refusal = error
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("merged.safetensors")))
    return refusal
  }

  private static let query = "base_model.model.bert.encoder.layer.0.attention.self.query."

  @Test func lyingAdaptersAreRefused() throws {
    try withFolder { folder in
      let (a, b) = (Self.query + "lora_A.weight", Self.query + "lora_B.weight")
      func zeros(_ shape: [Int]) throws -> Tensor {
        try FloatTensor(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *))).stored()
      }
      let (file, model) = (folder.file("adapter/adapter_model.safetensors"), folder.file("model.safetensors"))
      let other = Self.query.replacing("layer.0", with: "layer.7")
      let nothing = "base_model.model.bert.nothing.bias"
      let lies: [(expected: AdapterError, change: (inout StateDict) throws -> Void)] = [
        (.shape(file: file, tensor: a, expected: [3, 24], found: [3, 9]), { $0[a] = try zeros([3, 9]) }),
        (.shape(file: file, tensor: b, expected: [24, 3], found: [24, 4]), { $0[b] = try zeros([24, 4]) }),
        (.rank(file: file, tensor: a, stated: 3, found: 2), { $0[a] = try zeros([2, 24]) }),
        (.lonelyFactor(file: file, tensor: a, missing: b), { $0[b] = nil }),
        (.lonelyFactor(file: file, tensor: b, missing: a), { $0[a] = nil }),
        (
          .noSuchParameter(file: file, tensor: other + "lora_A.weight", model: model),
          { ($0[other + "lora_A.weight"], $0[other + "lora_B.weight"]) = (try zeros([3, 24]), try zeros([24, 3])) }
        ),
        (.noSuchParameter(file: file, tensor: nothing, model: model), { $0[nothing] = try zeros([3]) }),
        (.noFactors(file: file), { $0.tensors.removeAll { $0.key.contains("lora_") } }),
      ]
      for (expected, change) in lies {
        let found = try refusal(broken(folder, tensors: change), in: folder)
        #expect(found == expected)
      }
      let found = try refusal(broken(folder, config: { $0["r"] = 5 }), in: folder)
      #expect(found == .rank(file: file, tensor: a, stated: 5, found: 3))
    }
  }

  @Test(arguments: ["peft_type", "use_dora", "init_lora_weights", "rank_pattern", "r", "kasa_config"])
  func otherMethodsAreRefused(_ field: String) throws {
    try withFolder { folder in
      let values: [String: Any] = [
        "peft_type": "IA3", "use_dora": true, "init_lora_weights": "pissa_niter_4", "rank_pattern": ["a.*b": 3],
        "r": "many", "kasa_config": ["beta": 1],
      ]
      let error = try refusal(broken(folder, config: { $0[field] = values[field] }), in: folder)
      switch error {
      case .unsupported(_, field, _, _)?: break
      case .badConfig? where field == "r": break
      default: Issue.record("\(field): \(String(describing: error))")
      }
    }
  }

  @Test func missingFilesAreNamed() throws {
    try withFolder { folder in
      let adapter = try broken(folder)
      for file in ["adapter_model.safetensors", "adapter_config.json"] {
        try FileManager.default.moveItem(atPath: "\(adapter)/\(file)", toPath: folder.file("aside"))
        #expect(try refusal(adapter, in: folder) == .missing(folder: adapter, file: file))
        try FileManager.default.moveItem(atPath: folder.file("aside"), toPath: "\(adapter)/\(file)")
      }
      try Data("[1".utf8).write(to: URL(filePath: adapter + "/adapter_config.json"))
      let error = try refusal(adapter, in: folder)
      #expect(error == .badConfig(file: adapter + "/adapter_config.json", problem: "is not a JSON object"))
    }
  }

  @Test func anAdapterOfAnotherNetworkIsRefused() throws {
    try withFolder { folder in
      let error = try refusal(Fixture.path("lora/t5"), in: folder)
      guard case .noSuchParameter? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }
}
