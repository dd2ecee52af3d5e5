import Testing
import ZooGraph

@testable import ZooTraining

@Suite struct RecipeTests {
  @Test func stagesThawOneByOneAtFallingRates() throws {
    var recipe = try Recipe(kind: .staged, unfreeze: 2, epochs: 9, learningRate: 0.4)
    recipe.headEpochs = nil
    #expect(
      recipe.phases(stages: 4) == [
        .init(unfrozen: 0, epochs: 3, learningRate: 0.4), .init(unfrozen: 1, epochs: 3, learningRate: 0.2),
        .init(unfrozen: 2, epochs: 3, learningRate: 0.1),
      ])
  }

  @Test(arguments: 1...12) func everyEpochBelongsToAPhase(epochs: Int) throws {
    for depth in 0...5 {
      for headEpochs in [nil, 0, 5] {
        var recipe = try Recipe(kind: .staged, unfreeze: depth, epochs: epochs)
        recipe.headEpochs = headEpochs
        let phases = recipe.phases(stages: 3)
        #expect(phases.reduce(0) { $0 + $1.epochs } == recipe.totalEpochs && phases.allSatisfy { $0.epochs > 0 })
      }
    }
  }

  @Test func theHeadLearnsAloneBeforeStagesDo() throws {
    #expect(
      try Recipe(kind: .full, epochs: 4, learningRate: 0.1).phases(stages: 3).map(\.unfrozen) == [0, 3])
    #expect(try Recipe(kind: .lastN, unfreeze: 2, epochs: 4).phases(stages: 3).map(\.epochs) == [30, 4])
    #expect(try Recipe(kind: .scratch, epochs: 4).totalEpochs == 4)
  }

  private func network() -> Graph {
    var builder = GraphBuilder()
    var x = builder.input
    for stage in ["stem", "middle", "top"] {
      builder.beginStage(stage)
      x = builder.batchNorm(stage + ".norm", builder.convolution(stage, x, from: 3, to: 3, kernel: 1), channels: 3)
    }
    builder.beginStage("head")
    x = builder.flatten(builder.adaptiveAveragePool(x, height: 1, width: 1))
    return builder.finish(outputs: [builder.linear("fc", x, from: 3, to: 2)])
  }

  @Test func ratesFallWithTheDistanceFromTheHead() throws {
    let graph = network()
    func factors(_ kind: Recipe.Kind, _ unfrozen: Int) throws -> [String: Float] {
      try ParameterGroups(
        graph: graph, recipe: try Recipe(kind: kind), head: ["fc.weight", "fc.bias"], unfrozen: unfrozen
      ).factors.filter { $0.key.hasSuffix("weight") && !$0.key.contains("norm") }
    }
    #expect(try factors(.head, 0) == ["fc.weight": 1])
    #expect(try factors(.lastN, 1) == ["fc.weight": 1, "top.weight": 0.1])
    #expect(try factors(.scratch, 3) == ["fc.weight": 1, "top.weight": 1, "middle.weight": 1, "stem.weight": 1])
    let staged = try factors(.staged, 2)
    #expect(staged.count == 3 && staged["fc.weight"] == 1)
    #expect(abs((staged["top.weight"] ?? 0) - 1 / 2.6) < 1e-6)
    #expect(abs((staged["middle.weight"] ?? 0) - 1 / (2.6 * 2.6)) < 1e-6)
  }

  private func groups(_ change: (inout Recipe) -> Void) throws -> ParameterGroups {
    var recipe = try Recipe(kind: .head)
    change(&recipe)
    return try ParameterGroups(
      graph: network(), recipe: recipe, head: ["fc.weight", "fc.bias"], unfrozen: recipe.unfreeze)
  }

  @Test func patternsOfNamesThawAndFreeze() throws {
    let thawed = try groups { $0.unfrozenNames = ["middle*"] }
    #expect(thawed.trainable == ["fc.weight", "fc.bias", "middle.weight", "middle.norm.weight", "middle.norm.bias"])
    #expect(thawed.firstStage == 1)
    let frozen = try groups { ($0.unfreeze, $0.frozenNames) = (2, ["*.norm.*"]) }
    #expect(frozen.trainable == ["fc.weight", "fc.bias", "middle.weight", "top.weight"])
    #expect {
      try groups { $0.unfrozenNames = ["layer9.*"] }
    } throws: {
      if case TrainingError.noSuchParameter("--unfreeze", "layer9.*", _) = $0 { true } else { false }
    }
    #expect(throws: TrainingError.frozenHead(pattern: "fc*", name: "fc.weight")) {
      try groups { $0.frozenNames = ["fc*"] }
    }
  }

  @Test func moreThanThereAreStagesIsRefused() {
    #expect(throws: TrainingError.tooManyStages(asked: 4, stages: ["stem", "middle", "top"])) {
      try groups { $0.unfreeze = 4 }
    }
  }

  @Test func theMorePicturesAClassTheLessStaysFrozen() {
    let kinds = [[5, 7, 400], [20, 90, 30], [499, 100, 600], [500, 900]].map {
      AutomaticRecipe(examplesPerClass: $0).kind
    }
    #expect(kinds == [.head, .lastN, .staged, .full])
    #expect(AutomaticRecipe(examplesPerClass: [5, 7, 9]).reason.hasPrefix("7 training examples a class"))
  }

  @Test func hiddenLayersStandInForTheLastOne() throws {
    let graph = try #require(network().replacingHead(with: HiddenHead(hidden: [5, 4], dropout: 0.2)))
    #expect(graph.headModule == "fc.6")
    let shapes = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.name, $0.shape) })
    #expect(shapes["fc.0.weight"] == [5, 3] && shapes["fc.3.bias"] == [4] && shapes["fc.6.weight"] == [2, 4])
    #expect(shapes["fc.weight"] == nil)
    #expect(try graph.inferShapes(input: [7, 3, 8, 8])[graph.outputs[0].index] == [7, 2])
  }
}
