import Foundation
import ZooCheckpoint
import ZooEngine

/// A softmax layer over fixed features: multinomial logistic regression, trained by steps.
final class HeadLearner: Learner {
  private let inputs: Int
  private let classes: Int
  private let names: (weight: String, bias: String?)
  private let truths: [Int]
  private let scale: FeatureScale
  private let rows: [Float]
  private let smoothing: Float
  /// Weights [classes, inputs], then biases, which stay 0 where the layer has none.
  private var parameters: [Float]
  private var descent: GradientDescent

  init(cut: NetworkCut, features: [FloatTensor], truths: [Int], classes: Int, recipe: Recipe) throws {
    inputs = cut.headInputs
    self.classes = classes
    names = (cut.headWeight, cut.headBias)
    self.truths = truths
    smoothing = Float(recipe.labelSmoothing)
    // A mean can't be taken away from the features of a layer that has no bias to make up for it.
    scale = try FeatureScale(features, count: inputs, centres: cut.headBias != nil)
    rows = try scale.apply(features)
    parameters = [Float](repeating: 0, count: classes * inputs + classes)
    let biases = classes * inputs
    descent = GradientDescent(
      recipe: recipe,
      groups: [.init(range: 0..<biases), .init(range: biases..<biases + classes, isDecayed: false)],
      count: parameters.count)
  }

  func step(_ batch: [Int], learningRate: Double, seed: UInt64) -> StepOutcome {
    var outcome = StepOutcome()
    var gradient = [Float](repeating: 0, count: parameters.count)
    let biases = classes * inputs
    var row = [Float](repeating: 0, count: classes)
    var logits: [Float] = []
    for example in batch {
      rows.withUnsafeBufferPointer { Self.multiply($0, example * inputs, parameters, inputs: inputs, into: &row) }
      if SoftmaxLoss.highest(row) == truths[example] { outcome.correct += 1 }
      logits += row
    }
    var errors = logits
    outcome.loss =
      Double(batch.count)
      * CrossEntropy.loss(
        logits, labels: batch.map { truths[$0] }, classes: classes, smoothing: smoothing, gradient: &errors)
    for (position, example) in batch.enumerated() {
      let base = example * inputs
      gradient.withUnsafeMutableBufferPointer { gradient in
        rows.withUnsafeBufferPointer { rows in
          for label in 0..<classes {
            let error = errors[position * classes + label]
            for index in 0..<inputs { gradient[label * inputs + index] += error * rows[base + index] }
            if names.bias != nil { gradient[biases + label] += error }
          }
        }
      }
    }
    descent.apply(gradient, to: &parameters, learningRate: learningRate)
    return outcome
  }

  private static func multiply(
    _ rows: UnsafeBufferPointer<Float>, _ base: Int, _ parameters: [Float], inputs: Int, into row: inout [Float]
  ) {
    parameters.withUnsafeBufferPointer { parameters in
      let biases = row.count * inputs
      for label in row.indices {
        // Eight sums side by side, in a fixed order, so that the compiler can use vectors and the result stays the same.
        var sums = SIMD8<Float>(repeating: 0)
        var index = 0
        while index + 8 <= inputs {
          for lane in 0..<8 { sums[lane] += rows[base + index + lane] * parameters[label * inputs + index + lane] }
          index += 8
        }
        var sum = sums.sum()
        while index < inputs {
          sum += rows[base + index] * parameters[label * inputs + index]
          index += 1
        }
        row[label] = sum + parameters[biases + label]
      }
    }
  }

  func logits(_ features: [FloatTensor]) throws -> [[Float]] {
    let scaled = try scale.apply(features)
    return features.indices.map { example in
      var row = [Float](repeating: 0, count: classes)
      scaled.withUnsafeBufferPointer { Self.multiply($0, example * inputs, parameters, inputs: inputs, into: &row) }
      return row
    }
  }

  func state() -> Weights {
    var state = descent.state()
    state["parameters"] = FloatTensor(parameters)
    return state
  }

  func restore(_ state: Weights) throws {
    parameters = try state.values("parameters", count: parameters.count)
    try descent.restore(state)
  }

  /// The layer with the scale of the features taken in: W / s and b - W · m / s.
  func learntWeights() -> Weights {
    var weight = [Float](repeating: 0, count: classes * inputs)
    var bias = [Float](repeating: 0, count: classes)
    for label in 0..<classes {
      var sum = Double(parameters[classes * inputs + label])
      for index in 0..<inputs {
        let value = parameters[label * inputs + index] * scale.factor[index]
        weight[label * inputs + index] = value
        sum -= Double(value) * Double(scale.mean[index])
      }
      bias[label] = Float(sum)
    }
    var weights: Weights = [names.weight: FloatTensor(shape: [classes, inputs], values: weight)]
    if let name = names.bias { weights[name] = FloatTensor(shape: [classes], values: bias) }
    return weights
  }
}
