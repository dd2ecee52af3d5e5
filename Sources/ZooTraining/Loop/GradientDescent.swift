import Foundation
import ZooCheckpoint
import ZooEngine

/// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019) or SGD with momentum 0.9, over one
/// flat buffer; the same steps as `torch.optim`.
package struct GradientDescent {
  /// A part of the buffer with rules of its own.
  package struct Group: Equatable {
    let range: Range<Int>
    var isDecayed = true
    /// Times the learning rate.
    var factor: Float = 1
  }

  private let method: Recipe.Method
  private let weightDecay: Float
  private let groups: [Group]
  private var first: [Float]
  private var second: [Float]
  private var steps = 0

  package init(recipe: Recipe, groups: [Group], count: Int) {
    method = recipe.optimizer
    weightDecay = Float(recipe.weightDecay)
    self.groups = groups
    first = [Float](repeating: 0, count: count)
    second = method == .adamw ? first : []
  }

  /// - Parameter scale: times the gradient.
  package mutating func apply(_ gradient: [Float], scale: Float = 1, to parameters: inout [Float], learningRate: Double)
  {
    steps += 1
    let corrections = (1 - Float(pow(0.9, Double(steps))), 1 - Float(pow(0.999, Double(steps))))
    parameters.withUnsafeMutableBufferPointer { parameters in
      gradient.withUnsafeBufferPointer { gradient in
        first.withUnsafeMutableBufferPointer { first in
          second.withUnsafeMutableBufferPointer { second in
            for group in groups {
              let rate = Float(learningRate) * group.factor
              let decay = group.isDecayed ? weightDecay : 0
              switch method {
              case .sgd:
                OptimizerKernels.sgd(
                  group.range, parameters: parameters, gradient: gradient, momentum: first, rate: rate, decay: decay,
                  scale: scale)
              case .adamw:
                OptimizerKernels.adamw(
                  group.range, parameters: parameters, gradient: gradient, first: first, second: second,
                  .init(rate: rate, decay: decay, scale: scale, corrections: corrections))
              }
            }
          }
        }
      }
    }
  }

  /// The Euclidean norm of the gradient's learning parts.
  func norm(of gradient: [Float]) -> Double {
    gradient.withUnsafeBufferPointer { gradient in
      groups.reduce(0) { $0 + OptimizerKernels.sumOfSquares(gradient, $1.range) }.squareRoot()
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
