import ZooCheckpoint
import ZooEngine

/// Squared error of numbers, as `torch.nn.MSELoss`: the mean over pictures and numbers.
///
/// The numbers are learnt at mean 0 and variance 1 over the training pictures, so that learning rates fit whatever their
/// units are; the last layer takes that in afterwards.
struct ValueLoss: Objective {
  let outputs: Int
  let scale: OutputScale?

  let lossName = "mean squared error"

  private var values: OutputScale { scale ?? OutputScale(mean: [], deviation: []) }

  /// - Parameter rows: the training pictures' numbers.
  init(outputs: Int, standardising rows: [[Double]]) {
    self.outputs = outputs
    scale = OutputScale(rows, count: outputs)
  }

  func targets(_ examples: [Example]) -> [Float] { examples.flatMap { values.standardised($0.values) } }

  func outcome(_ logits: [Float], targets: [Float], gradient: inout [Float]) -> StepOutcome {
    let scale = 1 / Double(max(logits.count, 1))
    var total = 0.0
    for index in logits.indices {
      let error = Double(logits[index]) - Double(targets[index])
      total += error * error
      gradient[index] = Float(2 * error * scale)
    }
    let rows = Double(logits.count / outputs)
    return StepOutcome(loss: total * scale * rows, weight: rows)
  }

  func judge(_ logits: [[Float]], _ examples: [Example]) -> Judgement {
    let metrics = ValueMetrics(predictions: logits.map(values.inUnits), truths: examples.map(\.values))
    return Judgement(
      loss: meanLoss(logits, examples), score: metrics.rootMeanSquaredError, metric: .rootMeanSquaredError)
  }
}

/// The mean and the standard deviation of each number over the training pictures.
struct OutputScale: Sendable, Equatable {
  let mean: [Double]
  let deviation: [Double]

  init(mean: [Double], deviation: [Double]) {
    self.mean = mean
    self.deviation = deviation
  }

  init(_ rows: [[Double]], count: Int) {
    let total = Double(max(rows.count, 1))
    let mean = (0..<count).map { column in rows.reduce(0) { $0 + $1[column] } / total }
    self.mean = mean
    deviation = (0..<count).map { column in
      let variance = rows.reduce(0) { $0 + ($1[column] - mean[column]) * ($1[column] - mean[column]) } / total
      return variance > 0 ? variance.squareRoot() : 1
    }
  }

  func standardised(_ values: [Double]) -> [Float] {
    values.indices.map { Float((values[$0] - mean[$0]) / deviation[$0]) }
  }

  func inUnits(_ outputs: [Float]) -> [Double] {
    outputs.indices.map { Double(outputs[$0]) * deviation[$0] + mean[$0] }
  }

  /// The network's last layer, giving numbers in their own units: W · s and b · s + m.
  ///
  /// - Throws: ``TrainingError/missingTensor(file:name:)``.
  func folded(into weights: Weights, _ cut: NetworkCut) throws -> Weights {
    guard let bias = cut.headBias, let old = weights[cut.headWeight], let oldBias = weights[bias] else {
      throw TrainingError.missingTensor(file: "the last layer", name: cut.headBias ?? cut.headWeight)
    }
    var folded = weights
    var (weight, biases) = (try old.values(), try oldBias.values())
    let columns = weight.count / max(mean.count, 1)
    for row in mean.indices {
      for index in row * columns..<(row + 1) * columns { weight[index] = Float(Double(weight[index]) * deviation[row]) }
      biases[row] = Float(Double(biases[row]) * deviation[row] + mean[row])
    }
    folded[cut.headWeight] = FloatTensor(shape: old.shape, values: weight)
    folded[bias] = FloatTensor(shape: oldBias.shape, values: biases)
    return folded
  }
}
