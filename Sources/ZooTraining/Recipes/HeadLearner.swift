import ZooCheckpoint
import ZooEngine

/// A linear layer over fixed features, trained by steps: of classes multinomial logistic regression.
final class HeadLearner: Learner {
  private let inputs: Int
  private var classes: Int { loss.outputs }
  private let loss: any Objective
  private let names: (weight: String, bias: String?)
  private let data: PreparedData
  private let scale: FeatureScale
  private let source: any ExampleSource
  private let validationRows: [Float]
  /// Weights [classes, inputs], then biases, which stay 0 where the layer has none.
  var parameters: [Float]
  private var gradient: [Float]
  let groups: [GradientDescent.Group]

  init(cut: NetworkCut, source: any ExampleSource, data: PreparedData, loss: any Objective) throws {
    inputs = cut.headInputs
    self.loss = loss
    let classes = loss.outputs
    names = (cut.headWeight, cut.headBias)
    self.data = data
    // A mean can't be taken away from the features of a layer that has no bias to make up for it.
    scale = try FeatureScale(data.views.flatMap { $0 }, count: inputs, centres: cut.headBias != nil)
    self.source = source
    validationRows = try scale.apply(data.validation.features)
    parameters = [Float](repeating: 0, count: classes * inputs + classes)
    gradient = parameters
    let biases = classes * inputs
    groups = [.init(range: 0..<biases), .init(range: biases..<biases + classes, isDecayed: false)]
  }

  func announce(_ batches: [AnnouncedBatch]) { source.announce(batches) }

  func computeGradient(of batch: [Int], seed: UInt64) throws -> StepOutcome {
    var made = try source.batch(batch, seed: seed)
    scale.apply(to: &made.inputs)
    let rows = made.inputs
    let biases = classes * inputs
    let logits = batch.indices.flatMap { row(of: rows, $0) }
    var errors = logits
    var outcome = loss.outcome(logits, targets: made.targets, gradient: &errors)
    outcome.waiting = made.waiting
    gradient.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    for position in batch.indices {
      let base = position * inputs
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
    return outcome
  }

  func update(_ body: (_ parameters: inout [Float], _ gradient: [Float]) -> Void) { body(&parameters, gradient) }

  func judge() -> Judgement {
    loss.judge(data.validation.examples.indices.map(validationLogits), data.validation.examples)
  }

  func validationLogits(_ example: Int) -> [Float] { row(of: validationRows, example) }

  private func row(of rows: [Float], _ example: Int) -> [Float] {
    var row = [Float](repeating: 0, count: classes)
    rows.withUnsafeBufferPointer { Self.multiply($0, example * inputs, parameters, inputs: inputs, into: &row) }
    return row
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
