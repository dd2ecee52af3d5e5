import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooGraph

@testable import ZooTraining

@Suite struct LowRankTests {
  private static let all = LowRankFixture.texts + ["resnet"]

  /// Euclidean distance, as a share of the expected length, or of `floor` for each number where that is more.
  private func distance(_ found: FloatTensor, _ expected: FloatTensor, floor: Double = 0) throws -> Double {
    let (found, expected) = (try found.values(), try expected.values())
    try #require(found.count == expected.count)
    let difference = zip(found, expected).reduce(0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    let length = expected.reduce(0) { $0 + pow(Double($1), 2) }
    return (difference / max(length, floor * floor * Double(expected.count), 1e-12)).squareRoot()
  }

  /// Below it a gradient is nothing but rounding: a thousandth of the network's largest.
  private func floor(_ fixture: LowRankFixture) throws -> Double {
    let gradients = fixture.expected.filter { $0.key.hasPrefix("gradient.") }.values
    return 1e-3 * Double(try gradients.flatMap { try $0.values() }.map(abs).max() ?? 0)
  }

  private func slices(_ learner: LowRankLearner, _ buffer: [Float]) -> Weights {
    var weights = Weights()
    learner.layout.read(buffer, into: &weights)
    return weights
  }

  @Test(arguments: all) func gradientsOfTheFactorsEqualTorch(_ name: String) throws {
    let fixture = try LowRankFixture(name)
    let learner = try fixture.learner()
    let outcome = try learner.computeGradient(of: [], seed: 0)
    let losses: [Double] = try fixture.fact("losses")
    #expect(abs(outcome.loss / outcome.weight - losses[0]) < 1e-5)
    var gradient: [Float] = []
    learner.update { gradient = $1 }
    let found = slices(learner, gradient)
    let expected = fixture.expected.filter { $0.key.hasPrefix("gradient.") }
    #expect(found.count == expected.count && found.keys.contains { $0.hasSuffix(".lora_A") })
    for (key, tensor) in expected {
      let own = try #require(found[String(key.dropFirst(9))], "\(key)")
      let found = try distance(own, tensor, floor: floor(fixture))
      #expect(found < 1e-4, "\(key): \(found)")
    }
  }

  @Test(arguments: all) func stepsOfAdamWFollowTorch(_ name: String) throws {
    let fixture = try LowRankFixture(name)
    let learner = try fixture.learner()
    var training = PhaseTraining(learner, recipe: try fixture.recipe())
    let (losses, rate): ([Double], Double) = (try fixture.fact("losses"), try fixture.fact("rate"))
    var watch = LossWatch()
    for expected in losses {
      let step = try training.step([[0]], learningRate: rate, seed: { _ in 0 }, watch: &watch)
      #expect(abs(step.outcome.loss / step.outcome.weight - expected) < 1e-3 * max(1, expected))
    }
    let (found, smallest) = (try learner.learntWeights(), try 1e-2 * floor(fixture))
    var compared = 0
    for (key, tensor) in fixture.expected where key.hasPrefix("after.") {
      // AdamW makes steps of the whole rate of the smallest gradient, whose sign may be rounding's.
      let gradient = try #require(try fixture.expected["gradient." + key.dropFirst(6)]?.values())
      guard gradient.allSatisfy({ Double(abs($0)) > smallest }) else { continue }
      compared += 1
      let difference = try distance(try #require(found[String(key.dropFirst(6))]), tensor)
      #expect(difference < 2e-3, "\(key): \(difference)")
    }
    #expect(compared > found.count / 4)
  }

  /// A step along the gradient changes the loss by what the gradient says.
  @Test(arguments: ["bert_sequences", "gpt2_sequences", "resnet"]) func gradientsEqualDifferences(_ name: String) throws
  {
    let learner = try LowRankFixture(name).learner()
    _ = try learner.computeGradient(of: [], seed: 0)
    var gradient: [Float] = []
    learner.update { gradient = $1 }
    let (start, step) = (learner.parameters, Float(2e-3))
    var random = SeededGenerator(seed: 4)
    for _ in 0..<4 {
      var direction = [Float](repeating: 0, count: start.count)
      for slice in learner.layout.slices { for place in slice.range { direction[place] = Float(random.normal()) } }
      func loss(_ sign: Float) throws -> Double {
        learner.parameters = zip(start, direction).map { $0 + sign * step * $1 }
        return try learner.judge().loss
      }
      let found = try (loss(1) - loss(-1)) / Double(2 * step)
      let expected = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      #expect(abs(found - expected) < 0.02 * max(1, abs(expected)), "\(found) \(expected)")
    }
  }

  @Test func frozenWeightsStayAndSmallThingsAreSaved() throws {
    let fixture = try LowRankFixture("bert_sequences")
    let groups = try fixture.groups()
    let network = try fixture.network(groups)
    let learner = try LowRankLearner(network, parameters: groups, seed: 3)
    // B begins at zero: the network is the pretrained one to the last bit.
    let before = network.parameters
    learner.parameters = learner.parameters
    _ = try learner.computeGradient(of: [], seed: 0)
    #expect(network.parameters == before)
    let learnt = try learner.learntWeights()
    #expect(
      Set(learnt.keys)
        == Set(groups.lowRank.weights.flatMap { [$0.name + ".lora_A", $0.name + ".lora_B"] }).union(groups.factors.keys)
    )
    let rank = groups.lowRank.settings.rank
    #expect(groups.lowRank.count == 4 * rank * (24 + 24))
    for weight in groups.lowRank.weights {
      let a = try #require(try learnt[weight.name + ".lora_A"]?.values())
      #expect(a.allSatisfy { abs($0) <= 1 / Float(24).squareRoot() } && Set(a).count > rank * 20)
      #expect(try learnt[weight.name + ".lora_B"]?.values().allSatisfy { $0 == 0 } == true)
    }
  }

  @Test func changesAreScaledProducts() throws {
    var random = SeededGenerator(seed: 9)
    for isTurned in [false, true] {
      let change = LowRankChange(outputs: 96, inputs: 80, rank: 5, scale: 1.3, isTurned: isTurned)
      let shape = isTurned ? [80, 96] : [96, 80]
      let weight = FloatTensor(shape: shape, values: (0..<96 * 80).map { _ in Float(random.normal()) })
      let a = FloatTensor(shape: [5, 80], values: (0..<400).map { _ in Float(random.normal()) })
      let b = FloatTensor(shape: [96, 5], values: (0..<480).map { _ in Float(random.normal()) })
      let changed = try change.changed(weight, a: a, b: b).values()
      let (before, av, bv) = (try weight.values(), try a.values(), try b.values())
      for output in 0..<96 {
        for input in 0..<80 {
          let place = isTurned ? input * 96 + output : output * 80 + input
          let product = (0..<5).reduce(0.0) { $0 + Double(bv[output * 5 + $1]) * Double(av[$1 * 80 + input]) }
          #expect(abs(Double(changed[place]) - Double(before[place]) - 1.3 * product) < 1e-5)
        }
      }
      let none = FloatTensor(shape: [96, 5], values: [Float](repeating: 0, count: 480))
      #expect(try change.changed(weight, a: a, b: none).values() == before)
    }
  }

  private func targets(_ model: String) throws -> (chosen: Set<String>, graph: Graph) {
    let graph = try #require(try Catalog.standard().models.first { $0.name == model }).graph()
    let head = Set(graph.parameters.map(\.name).filter { $0.hasPrefix((graph.headModule ?? "?") + ".") })
    return (Set(try AdaptedWeights.choose(from: graph, LowRank(), head: head).map(\.name)), graph)
  }

  @Test func attentionIsFoundByItsValues() throws {
    #expect(
      try targets("vit_b_16").chosen
        == Set(
          (0..<12).flatMap { layer in
            ["in_proj_weight", "out_proj.weight"].map { "encoder.layers.encoder_layer_\(layer).self_attention.\($0)" }
          }))
    for model in ["swin_t", "swin_v2_t"] {
      let chosen = try targets(model).chosen
      #expect(
        chosen.count == 24
          && chosen.allSatisfy { $0.hasSuffix(".attn.qkv.weight") || $0.hasSuffix(".attn.proj.weight") })
    }
    let hybrid = try targets("maxvit_t").chosen
    #expect(
      hybrid.count == 44
        && hybrid.allSatisfy { $0.contains("attn_layer.1.to_qkv") || $0.contains("attn_layer.1.merge") })
    #expect(
      try targets("bert_base_uncased").chosen.count == 48 && targets("roberta_base").chosen.count == 48
        && targets("distilbert_base_uncased").chosen.count == 24)
    let gpt2 = try targets("gpt2").chosen
    #expect(gpt2.count == 24 && gpt2.allSatisfy { $0.contains(".attn.c_attn.") || $0.contains(".attn.c_proj.") })
    let t5 = try targets("t5_small").chosen
    #expect(t5.count == 72 && t5.allSatisfy { $0.contains("Attention.") })
  }

  @Test func networksWithoutAttentionChangeTheirPointwiseLayers() throws {
    let (resnet, graph) = try targets("resnet50")
    let shapes = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.name, $0.shape) })
    #expect(resnet.count == 36 && resnet.allSatisfy { shapes[$0]?.suffix(2) == [1, 1] })
    #expect(resnet.contains("layer1.0.downsample.0.weight") && !resnet.contains("fc.weight"))
    let next = try targets("convnext_tiny").chosen
    #expect(next.count == 36 && next.contains("features.1.0.block.3.weight"))
    let lite = try targets("efficientnet_lite0").chosen
    #expect(lite.count == 32 && !lite.contains { $0.contains("conv_dw") })
  }

  @Test func namesAreChosenAndWrongOnesAnswered() throws {
    let graph = try LowRankFixture("bert_sequences").graph
    var settings = LowRank()
    for (patterns, count) in [(["query", "value"], 4), (["*.layer.0.*"], 6), (["*"], 13)] {
      settings.targets = patterns
      #expect(try AdaptedWeights.choose(from: graph, settings, head: ["classifier.weight"]).count == count)
    }
    settings.targets = ["query", "qkv"]
    #expect {
      _ = try AdaptedWeights.choose(from: graph, settings, head: [])
    } throws: {
      guard case TrainingError.noSuchMatrix("qkv", let names) = $0 else { return false }
      return names.contains("bert.encoder.layer.1.attention.self.query.weight")
    }
  }

  @Test func whatIsThawedLearnsItselfAndWhatIsFrozenStays() throws {
    let fixture = try LowRankFixture("bert_sequences")
    var recipe = try Recipe(kind: .lora)
    recipe.unfrozenNames = ["*.layer.1.attention.self.query.*"]
    recipe.frozenNames = ["*.layer.0.*"]
    let groups = try ParameterGroups(
      graph: fixture.graph, recipe: recipe, head: fixture.head, unfrozen: 0, adapts: true)
    let changed = groups.lowRank.weights.map(\.name)
    #expect(changed.count == 3 && !changed.contains { $0.contains("query") || $0.contains("layer.0") })
    #expect(groups.factors["bert.encoder.layer.1.attention.self.query.weight"] == 0.1)
    recipe.frozenNames = ["*.encoder.*"]
    #expect(throws: TrainingError.nothingToAdapt) {
      try ParameterGroups(graph: fixture.graph, recipe: recipe, head: fixture.head, unfrozen: 0, adapts: true)
    }
  }

  @Test func settingsBelongToTheirRecipe() throws {
    var recipe = try Recipe(kind: .head)
    recipe.lowRank = LowRank()
    #expect(throws: TrainingError.self) { try recipe.check() }
    recipe = try Recipe(kind: .lora)
    #expect(recipe.lowRank == LowRank() && recipe.headEpochs == Recipe.defaultHeadEpochs)
    #expect(recipe.phases(stages: 3).map(\.adapts) == [false, true])
    for change in [{ (low: inout LowRank) in low.rank = 0 }, { $0.alpha = .infinity }, { $0.alpha = -1 }] {
      var wrong = recipe
      var settings = LowRank()
      change(&settings)
      wrong.lowRank = settings
      #expect(throws: TrainingError.self) { try wrong.check() }
    }
  }
}
