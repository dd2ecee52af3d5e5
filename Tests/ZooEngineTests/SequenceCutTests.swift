import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooGraph

@testable import ZooEngine

@Suite struct SequenceCutTests {
  @Test(arguments: [
    "bert_sequences", "bert_tokens", "roberta_sequences", "distilbert_sequences", "gpt2", "gpt2_sequences", "t5",
    "t5_gated",
  ])
  func bothPartsTogetherAreTheNetwork(_ name: String) throws {
    let fixture = try TextNetworkFixture(name)
    let graph = try NetworkFamilies.graph(family: fixture.family, config: fixture.config, classes: fixture.classes)
    let input = SequenceInput(ids: try #require(try fixture.value("ids")), typeIDs: try fixture.value("types"))
    let decoder: [[Int]]? = try fixture.value("decoder")
    for stage in 1..<graph.stages.count {
      let cut = try SequenceCut(graph, stage: stage)
      let isCut = cut.frozen != nil
      try #require(isCut, "stage \(stage)")
      guard let frozen = cut.frozen else { continue }
      let plan = try SequencePlan(frozen, weights: fixture.weights)
      let features = try input.ids.indices.map { index in
        try plan.run(SequenceInput(ids: [input.ids[index]], typeIDs: input.typeIDs.map { [$0[index]] }))[0]
      }
      let trainable = Set(graph.nodes.filter { $0.stage >= stage }.flatMap(\.inputs))
      let names = cut.trainable.parameters.filter { trainable.contains($0.value) }.map(\.name)
      let training = try SequenceTrainingPlan(
        graph: cut.trainable, weights: fixture.weights, trainable: Set(names), inputColumns: cut.columns)
      let found = try training.output(SequenceBatch(.features(features), decoder: decoder))
      let expected = fixture.expected[0]
      try #require(found.shape == expected.shape)
      let (a, b) = (try found.values(), try expected.values())
      let difference = zip(a, b).map { abs($0 - $1) }.max() ?? 1
      #expect(difference < 1e-5 * (b.map(abs).max() ?? 0), "stage \(stage)")
      #expect(
        Set(frozen.parameters.map(\.name) + cut.trainable.parameters.map(\.name)) == Set(graph.parameters.map(\.name)))
    }
    #expect(try SequenceCut(graph, stage: 0).frozen == nil)
  }

  /// A classifier's head reads one token of each text: the others needn't be kept.
  @Test func featuresOfAClassifierAreOneRow() throws {
    let fixture = try TextNetworkFixture("bert_sequences")
    let graph = try NetworkFamilies.graph(family: fixture.family, config: fixture.config, classes: fixture.classes)
    let cut = try SequenceCut(graph, stage: graph.stages.count - 1)
    let plan = try SequencePlan(try #require(cut.frozen), weights: fixture.weights)
    #expect(try plan.run(SequenceInput(ids: [[3, 4, 5], [6]]))[0].shape == [2, cut.columns])
  }
}
