import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

@testable import ZooTraining

/// A tiny network, an adapter that PEFT saved for it, and what PEFT made of both; see `make_lora.py`.
struct LowRankFixture {
  static let texts = ["bert_sequences", "bert", "gpt2_sequences", "t5"]

  let name: String
  let adapter: Adapter
  let answer: Checkpoint
  let expected: Weights
  let graph: Graph
  let weights: Weights

  init(_ name: String) throws {
    self.name = name
    adapter = try Adapter(path: Fixture.path("lora/\(name)"))
    answer = try Checkpoint.open(path: Fixture.path("lora/\(name)/expected.safetensors"))
    expected = try answer.stateDict.floatWeights()
    let isPicture = name == "resnet"
    let network = isPicture ? nil : try TextNetworkFixture(name)
    let classifier = Data(
      #"{"vocabulary":71,"layers":2,"heads":3,"hiddenSize":24,"mlpSize":40,"positions":40,"head":"sequence-classification"}"#
        .utf8)
    let graph = try NetworkFamilies.graph(
      family: network?.family ?? "resnet",
      config: name == "bert" ? classifier : network?.config ?? Data(Self.resnet.utf8),
      classes: network?.classes ?? 5)
    let given =
      try network?.weights
      ?? Checkpoint.open(path: Fixture.path("lora/resnet/base.safetensors")).stateDict
      .floatWeights()
    let direct = try adapter.direct.mapValues { try FloatTensor($0) }
    // A classifier on a published encoder has its weights under the encoder's name.
    let inner = name == "bert" ? Dictionary(given.map { ("bert." + $0.key, $0.value) }) { $1 } : given
    self.graph = graph
    weights = inner.merging(direct) { $1 }
  }

  static let resnet =
    #"{"block": "bottleneck", "layers": [1, 1], "width": 8, "stem": {"kernel": 3, "stride": 1, "maxPool": false}}"#

  func fact<T: Decodable>(_ key: String, as type: T.Type = T.self) throws -> T {
    try #require(try factIfAny(key, as: type))
  }

  func factIfAny<T: Decodable>(_ key: String, as type: T.Type = T.self) throws -> T? {
    try answer.metadata.others[key].map { try JSONDecoder().decode(T.self, from: Data($0.utf8)) }
  }

  var head: Set<String> { Set(adapter.direct.keys) }

  /// The recipe whose changes are the adapter's.
  func recipe() throws -> Recipe {
    var recipe = try Recipe(kind: .lora, learningRate: fact("rate"), weightDecay: fact("decay"))
    let first = try #require(adapter.factors.keys.first)
    var settings = LowRank()
    settings.rank = adapter.rank(of: first)
    settings.alpha = Double(adapter.scale(of: first)) * Double(settings.rank)
    settings.targets = Array(adapter.factors.keys)
    recipe.lowRank = settings
    return recipe
  }

  func groups() throws -> ParameterGroups {
    try ParameterGroups(graph: graph, recipe: recipe(), head: head, unfrozen: 0, adapts: true)
  }

  func network(_ groups: ParameterGroups) throws -> any NetworkLearner {
    let targets: [Int] = try fact("targets")
    guard name == "resnet" else {
      return FixedTexts(
        try SequenceTrainingPlan(
          graph: graph, weights: weights, trainable: groups.trainable,
          options: TrainingOptions(threads: 1, dropsOut: false)),
        SequenceBatch(
          .tokens(SequenceInput(ids: try fact("ids"), typeIDs: try factIfAny("types"))),
          decoder: try factIfAny("decoder")),
        SequenceTargets(targets, smoothing: 0))
    }
    let pictures = try #require(
      try Checkpoint.open(path: Fixture.path("lora/resnet/base.safetensors")).stateDict["pictures"])
    return FixedPictures(
      try TrainingPlan(
        graph: graph, weights: weights, trainable: groups.trainable, inputShape: Array(pictures.shape.dropFirst()),
        options: TrainingOptions(threads: 1, dropsOut: false, batchStatistics: [])),
      try pictures.floats(), targets)
  }

  /// What learns by changes of low rank, beginning with the adapter's own.
  func learner() throws -> LowRankLearner {
    let groups = try groups()
    let learner = try LowRankLearner(network(groups), parameters: groups, seed: 0)
    var start = learner.parameters
    let names = AdapterNames(graph)
    var factors = weights
    for (module, pair) in adapter.factors {
      let own = LowRankFactors.names(of: try #require(names.weight(of: module)))
      factors[own.a] = FloatTensor(shape: Array(pair.a.shape.prefix(2)), values: try pair.a.floats())
      factors[own.b] = FloatTensor(shape: Array(pair.b.shape.prefix(2)), values: try pair.b.floats())
    }
    try learner.layout.fill(&start, from: factors)
    learner.parameters = start
    return learner
  }
}

/// One batch of texts, over and over.
final class FixedTexts: NetworkLearner {
  private let plan: SequenceTrainingPlan
  private let batch: SequenceBatch
  private let targets: SequenceTargets
  let groups: [GradientDescent.Group] = []

  init(_ plan: SequenceTrainingPlan, _ batch: SequenceBatch, _ targets: SequenceTargets) {
    (self.plan, self.batch, self.targets) = (plan, batch, targets)
  }

  var layout: ParameterLayout { plan.layout }
  var parameters: [Float] {
    get { plan.parameters }
    set { plan.parameters = newValue }
  }

  func computeGradient(of places: [Int], seed: UInt64) throws -> StepOutcome {
    let outcome = try plan.step(batch, targets)
    return StepOutcome(loss: outcome.loss, weight: Double(outcome.count))
  }

  func update(_ body: (_ parameters: inout [Float], _ gradient: [Float]) -> Void) {
    body(&plan.parameters, plan.gradients)
  }

  func judge() throws -> Judgement {
    let outcome = try plan.judge(batch, targets)
    return Judgement(loss: outcome.loss / Double(outcome.count), score: 0)
  }

  func learntWeights() -> Weights { plan.trainedWeights() }
}

/// One batch of pictures, over and over.
final class FixedPictures: NetworkLearner {
  private let plan: TrainingPlan
  private let pictures: [Float]
  private let labels: [Int]
  let groups: [GradientDescent.Group] = []

  init(_ plan: TrainingPlan, _ pictures: [Float], _ labels: [Int]) {
    (self.plan, self.pictures, self.labels) = (plan, pictures, labels)
  }

  var layout: ParameterLayout { plan.layout }
  var parameters: [Float] {
    get { plan.parameters }
    set { plan.parameters = newValue }
  }

  func computeGradient(of places: [Int], seed: UInt64) throws -> StepOutcome {
    let step = try pictures.withUnsafeBufferPointer { try plan.step($0, labels: labels) }
    return StepOutcome(loss: step.loss * Double(labels.count), weight: Double(labels.count))
  }

  func update(_ body: (_ parameters: inout [Float], _ gradient: [Float]) -> Void) {
    body(&plan.parameters, plan.gradients)
  }

  func judge() throws -> Judgement {
    Judgement(loss: try computeGradient(of: [], seed: 0).loss / Double(labels.count), score: 0)
  }

  func learntWeights() -> Weights { plan.weights() }
}
