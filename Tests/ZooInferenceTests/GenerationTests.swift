import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

@testable import ZooInference

/// Token for token what Transformers' `generate` makes with the tiny networks of `make_sequences.py`.
@Suite struct GenerationTests {
  private struct Settings: Decodable {
    let maximum: Int
    let beams: Int?
    let lengthPenalty: Double?
    let stopsEarly: Bool?
    let repetitionPenalty: Float?
    let noRepeatSize: Int?

    var options: GenerationOptions {
      var options = GenerationOptions()
      options.maximumTokens = maximum
      options.beams = beams ?? 1
      options.lengthPenalty = lengthPenalty ?? 1
      options.stopsEarly = stopsEarly ?? false
      options.repetitionPenalty = repetitionPenalty ?? 1
      options.noRepeatSize = noRepeatSize ?? 0
      return options
    }
  }
  private struct Run: Decodable {
    let settings: Settings
    let ids: [[Int]]
  }

  private struct Network {
    let plan: SequencePlan
    let texts: [[Int]]
    let runs: [Run]
    let end: Int

    init(_ name: String) throws {
      let fixture = try TextNetworkFixture(name)
      let graph = try NetworkFamilies.graph(family: fixture.family, config: fixture.config, classes: fixture.classes)
      plan = try SequencePlan(graph, weights: fixture.weights)
      texts = try #require(try fixture.value("ids"))
      runs = try #require(try fixture.value("generated"))
      end = try #require(try fixture.value("end"))
    }

    func generate(_ options: GenerationOptions) throws -> [[Int]] {
      try TokenGenerator(plan: plan, options: options, ends: [end]).generate(texts)
    }
  }

  @Test(arguments: ["gpt2", "t5", "t5_gated"])
  func tokensEqualTransformers(_ name: String) throws {
    let network = try Network(name)
    try #require(network.runs.count == 6)
    for run in network.runs {
      let found = try network.generate(run.settings.options)
      // Behind the end of a sequence Transformers pads.
      let expected = run.ids.map { ids in
        Array(ids.prefix { $0 != network.end }) + (ids.contains(network.end) ? [network.end] : [])
      }
      #expect(found == expected, "\(run.settings)")
    }
    // Not all texts end at the same length, so that sequences leave the batch one by one.
    #expect(Set(try network.generate(network.runs[0].settings.options).map(\.count)).count > 1)
  }

  @Test func tokensComeAsTheyAreMade() throws {
    let network = try Network("gpt2")
    var streamed = network.texts.map { _ in [Int]() }
    let made = try TokenGenerator(plan: network.plan, options: GenerationOptions(), ends: [network.end])
      .generate(network.texts) { streamed[$0].append($1) }
    #expect(streamed == made)
  }

  @Test func aSeedDrawsTheSameTokensAgain() throws {
    let network = try Network("t5_gated")
    var options = GenerationOptions()
    options.samples = true
    options.maximumTokens = 20
    options.temperature = 2
    let first = try network.generate(options)
    #expect(try network.generate(options) == first)
    options.seed = 1
    #expect(try network.generate(options) != first)
  }

  @Test func drawnTokensHaveTheirProbability() {
    let logits: [Float] = [log(0.5), log(0.3), log(0.15), log(0.05)]
    func shares(_ change: (inout GenerationOptions) -> Void) -> [Double] {
      var options = GenerationOptions()
      change(&options)
      var generator = SeededGenerator(seed: 7)
      var counts = [Double](repeating: 0, count: 4)
      for _ in 0..<20_000 { counts[LogitRules(options: options).draw(logits, &generator)] += 1 }
      return counts.map { $0 / 20_000 }
    }
    func expect(_ found: [Double], _ expected: [Double]) {
      for (one, other) in zip(found, expected) { #expect(abs(one - other) < 0.015) }
    }
    expect(shares { _ in }, [0.5, 0.3, 0.15, 0.05])
    expect(shares { $0.topK = 2 }, [0.625, 0.375, 0, 0])
    expect(shares { $0.topP = 0.79 }, [0.625, 0.375, 0, 0])
    expect(shares { $0.topP = 0.01 }, [1, 0, 0, 0])
    // Probabilities to the power of 1 / temperature.
    expect(shares { $0.temperature = 0.5 }, [0.25, 0.09, 0.0225, 0.0025].map { $0 / 0.365 })
  }
}
