import Foundation
import TestSupport
import Testing

@testable import ZooTraining

@Suite struct OptimizerTests {
  /// What `make_training.py` recorded of torch.
  struct Recording: Decodable {
    struct Run: Decodable, Sendable, CustomTestStringConvertible {
      let method: Recipe.Method
      let accumulate: Int
      let clip: Double?
      let average: Bool
      let norms: [Double]
      let parameters: [[Float]]
      let counting: [[Float]]

      var testDescription: String {
        "\(method), \(accumulate) batches, clip \(clip ?? 0), \(average ? "averaged" : "plain")"
      }
    }
    let inputs: [[Double]]
    let truths: [Double]
    let start: [Float]
    let batches: [[Int]]
    let epochs: Int
    let decay: Double
    let rate: Double
    let cosine: [Double]
    let runs: [Run]

    static let torchs = Result {
      try JSONDecoder().decode(
        Self.self, from: Data(contentsOf: URL(filePath: Fixture.path("training/steps.json"))))
    }
  }

  @Test(arguments: try Recording.torchs.get().runs)
  func stepsAreTorchs(run: Recording.Run) throws {
    let torch = try Recording.torchs.get()
    var recipe = try Recipe(learningRate: torch.rate, optimizer: run.method, weightDecay: 0.01)
    (recipe.accumulate, recipe.clip) = (run.accumulate, run.clip)
    recipe.averaging = run.average ? torch.decay : nil
    let learner = LinearLearner(inputs: torch.inputs, truths: torch.truths, start: torch.start)
    var training = PhaseTraining(learner, recipe: recipe)
    var watch = LossWatch()
    let steps = (torch.batches.count + run.accumulate - 1) / run.accumulate
    let schedule = CosineDecay(highest: torch.rate, steps: steps * torch.epochs)
    for place in 0..<steps * torch.epochs {
      let first = place % steps * run.accumulate
      let step = try training.step(
        torch.batches[first..<min(first + run.accumulate, torch.batches.count)], learningRate: schedule.rate(at: place),
        seed: { _ in 0 }, watch: &watch)
      #expect(abs(step.gradientNorm / run.norms[place] - 1) < 1e-4)
      expectSame(learner.parameters, run.parameters[place], "step \(place)")
      expectSame(training.withCountingWeights { learner.parameters }, run.counting[place], "average \(place)")
      expectSame(learner.parameters, run.parameters[place], "step \(place), after its average was looked at")
    }
  }

  private func expectSame(_ found: [Float], _ expected: [Float], _ what: String) {
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 2e-5, "\(what): \(found), torch \(expected)") }
  }

  @Test func frozenPartsOfTheBufferStayAsTheyAre() throws {
    let recipe = try Recipe(learningRate: 0.1, weightDecay: 0.5)
    var descent = GradientDescent(recipe: recipe, groups: [.init(range: 1..<2)], count: 3)
    var parameters: [Float] = [1, 2, 3]
    descent.apply([1, 1, 1], to: &parameters, learningRate: 0.1)
    #expect(parameters[0] == 1 && parameters[2] == 3 && parameters[1] < 2)
    #expect(descent.norm(of: [5, 3, 5]) == 3)
  }

  /// Transformers' schedule begins at 0, ours with the first step's share.
  @Test func theRateIsTransformersCosine() throws {
    let torch = try Recording.torchs.get()
    let schedule = CosineDecay(highest: torch.rate, steps: 100)
    for step in 0..<4 { #expect(abs(schedule.rate(at: step) - torch.cosine[step + 1]) < 1e-12) }
    for step in 5..<100 { #expect(abs(schedule.rate(at: step) - torch.cosine[step]) < 1e-12) }
  }
}
