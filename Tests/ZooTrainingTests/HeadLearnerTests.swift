import Testing
import ZooCheckpoint
import ZooGraph

@testable import ZooTraining

@Suite struct HeadLearnerTests {
  /// Features far from zero, which a layer without a bias can't be centred for.
  @Test(arguments: [true, false]) func theLearntLayerGivesTheLearnersLogits(hasBias: Bool) throws {
    var builder = GraphBuilder()
    builder.beginStage("stem")
    let features = builder.flatten(builder.adaptiveAveragePool(builder.input, height: 1, width: 1))
    builder.beginStage("head")
    let graph = builder.finish(outputs: [builder.linear("head", features, from: 3, to: 2, bias: hasBias)])
    let rows: [[Float]] = [[10, 1, 5], [11, -1, 5.5], [9, 1.5, 4], [10, -2, 6]]
    let part = PreparedData.Part(
      examples: [0, 1, 0, 1].map { Example(path: "", name: "", label: $0, digest: nil) },
      features: rows.map { FloatTensor($0) })
    let recipe = try Recipe(epochs: 1)
    let loss = ClassLoss(classes: 2)
    let learner = try HeadLearner(
      cut: NetworkCut(graph, firstStage: 1, model: "tiny"),
      source: FixedFeatures(
        views: [part.features], targets: TargetRows(part.examples, loss), mixing: Mixing()),
      data: PreparedData(training: part, validation: part), loss: loss)
    var training = PhaseTraining(learner, recipe: recipe)
    var watch = LossWatch()
    for _ in 0..<30 { _ = try training.step([[0, 1, 2, 3]], learningRate: 0.05, seed: { _ in 1 }, watch: &watch) }
    let learnt = learner.learntWeights()
    #expect(learnt.keys.contains("head.bias") == hasBias)
    let weight = try #require(learnt["head.weight"]).values()
    let bias = try learnt["head.bias"]?.values() ?? [0, 0]
    for (example, row) in rows.enumerated() {
      let logits = learner.validationLogits(example)
      for label in 0..<2 {
        let product = (0..<3).reduce(bias[label]) { $0 + row[$1] * weight[label * 3 + $1] }
        #expect(abs(product - logits[label]) < 1e-4)
      }
      #expect((logits[0] > logits[1]) == (row[1] > 0))
    }
  }
}
