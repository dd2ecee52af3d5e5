import Foundation
import ZooCheckpoint
import ZooEngine

/// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019) or SGD with momentum 0.9, over one
/// flat buffer; the same steps as `torch.optim`.
struct GradientDescent {
  /// A part of the buffer with rules of its own.
  struct Group {
    let range: Range<Int>
    var isDecayed = true
    /// Times the learning rate.
    var factor: Float = 1
  }

  private let recipe: Recipe
  private let groups: [Group]
  private var first: [Float]
  private var second: [Float]
  private var steps = 0

  init(recipe: Recipe, groups: [Group], count: Int) {
    self.recipe = recipe
    self.groups = groups
    first = [Float](repeating: 0, count: count)
    second = recipe.optimizer == .adamw ? first : []
  }

  mutating func apply(_ gradient: [Float], to parameters: inout [Float], learningRate: Double) {
    steps += 1
    let correction1 = 1 - Float(pow(0.9, Double(steps)))
    let correction2 = 1 - Float(pow(0.999, Double(steps)))
    for group in groups {
      let rate = Float(learningRate) * group.factor
      let decay = group.isDecayed ? Float(recipe.weightDecay) : 0
      for index in group.range {
        let slope = gradient[index]
        var value = parameters[index]
        if recipe.optimizer == .sgd {
          first[index] = 0.9 * first[index] + slope + decay * value
          value -= rate * first[index]
        } else {
          value *= 1 - rate * decay
          first[index] = 0.9 * first[index] + 0.1 * slope
          second[index] = 0.999 * second[index] + 0.001 * slope * slope
          value -= rate * (first[index] / correction1) / ((second[index] / correction2).squareRoot() + 1e-8)
        }
        parameters[index] = value
      }
    }
  }

  func state() -> Weights {
    var state = ["first": FloatTensor(first), "steps": FloatTensor([Float(steps)])]
    if !second.isEmpty { state["second"] = FloatTensor(second) }
    return state
  }

  mutating func restore(_ state: Weights) throws {
    first = try state.values("first", count: first.count)
    if !second.isEmpty { second = try state.values("second", count: second.count) }
    steps = Int(try state.values("steps", count: 1)[0])
  }
}

extension FloatTensor {
  /// One dimension.
  init(_ values: [Float]) { self.init(shape: [values.count], values: values) }
}

extension Weights {
  /// - Throws: ``TrainingError`` where there is no tensor of that name and size.
  func values(_ name: String, count: Int) throws -> [Float] {
    guard let tensor = self[name] else { throw TrainingError.missingTensor(file: "the saved state", name: name) }
    guard tensor.count == count else {
      throw TrainingError.misshapenTensor(file: "the saved state", name: name, expected: [count], found: tensor.shape)
    }
    return try tensor.values()
  }
}
