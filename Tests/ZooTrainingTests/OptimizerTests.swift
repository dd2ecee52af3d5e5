import Foundation
import TestSupport
import Testing

@testable import ZooTraining

@Suite struct OptimizerTests {
  private struct Steps: Decodable {
    let start: [Float]
    let gradients: [[Float]]
    let sgd: [[Float]]
    let adamw: [[Float]]
  }

  @Test(arguments: [Recipe.Method.sgd, .adamw])
  func stepsAreTorchs(method: Recipe.Method) throws {
    let steps = try JSONDecoder().decode(
      Steps.self, from: Data(contentsOf: URL(filePath: Fixture.path("engine/optimizers.json"))))
    let recipe = try Recipe(learningRate: 0.1, optimizer: method, weightDecay: 0.01)
    var descent = GradientDescent(recipe: recipe, groups: [.init(range: 0..<6)], count: 6)
    var parameters = steps.start
    for (gradient, expected) in zip(steps.gradients, method == .sgd ? steps.sgd : steps.adamw) {
      descent.apply(gradient, to: &parameters, learningRate: 0.1)
      for (a, b) in zip(parameters, expected) { #expect(abs(a - b) < 1e-5) }
    }
  }

  @Test func theRateRisesAndThenFallsToZero() {
    let schedule = CosineDecay(highest: 2, steps: 100)
    let rates = (0..<100).map(schedule.rate)
    #expect(rates[0] == 0.4)
    #expect(rates[4] == 2)
    #expect(zip(rates.dropFirst(5), rates.dropFirst(6)).allSatisfy { $0 > $1 })
    #expect(rates[99] < 0.01 && rates[99] >= 0)
  }
}
