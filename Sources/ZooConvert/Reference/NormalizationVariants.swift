import Foundation
import ZooCheckpoint
import ZooGraph

extension VariantContext {
  /// Of BatchNorm: weight, bias, mean and variance, each [C].
  func normalizationVariants(epsilon: Float, momentum: Float) throws -> [Variant] {
    guard let weight = parameters[1], let bias = parameters[2], let mean = parameters[3], let variance = parameters[4]
    else { return [] }
    var variants: [Variant] = []
    for other in [fitted(weight, bias, mean, variance)].compactMap(\.self) + Self.epsilons where other != epsilon {
      variants.append(
        Variant(
          kind: .epsilon, words: "BatchNorm epsilon: the reference's is \(other), this model's \(epsilon)",
          node: changed(.batchNormalization(epsilon: other, momentum: momentum))))
    }
    let (batchMean, batchVariance) = try batchStatistics()
    variants.append(
      Variant(
        kind: .trainingMode,
        words: "training mode: the reference normalises by the batch's own mean and variance, not the stored ones",
        node: node, replacing: [3: batchMean, 4: batchVariance]))
    for (words, replacing) in [
      ("mean and variance are exchanged", [3: variance, 4: mean]),
      ("weight and bias are exchanged", [1: bias, 2: weight]),
      ("the stored variance is a standard deviation", [4: try variance.mapped { $0 * $0 }]),
      ("the reference has no weight (gamma)", [1: try weight.mapped { _ in 1 }]),
      ("the reference has no bias (beta)", [2: try bias.mapped { _ in 0 }]),
    ] {
      variants.append(
        Variant(kind: .swappedParameters, words: "BatchNorm's parameters: \(words)", node: node, replacing: replacing))
    }
    return variants
  }

  /// Those of PyTorch, Keras, Keras's ResNets, TensorFlow's models, Caffe and others.
  static let epsilons: [Float] = [1e-5, 1e-3, 1.001e-5, 1e-6, 2e-5, 1e-4, 1e-2, 0]

  /// The epsilon that the reference's values ask for, from the channel whose variance is least; nil where they say none.
  ///
  ///     y = γ (x − μ) / √(σ² + ε) + β   gives   ε = (γ (x − μ) / (y − β))² − σ²
  private func fitted(_ weight: FloatTensor, _ bias: FloatTensor, _ mean: FloatTensor, _ variance: FloatTensor)
    -> Float?
  {
    guard let wanted = wanted.first, wanted.shape == input.shape, input.shape.count >= 2,
      let (x, y) = try? (input.values(), wanted.values()),
      let (gamma, beta, mu, sigma) = try? (weight.values(), bias.values(), mean.values(), variance.values())
    else { return nil }
    let channels = input.shape[1]
    let inner = input.shape.dropFirst(2).reduce(1, *)
    guard [gamma, beta, mu, sigma].allSatisfy({ $0.count == channels }) else { return nil }
    guard let channel = sigma.indices.filter({ abs(gamma[$0]) > 1e-6 }).min(by: { sigma[$0] < sigma[$1] }) else {
      return nil
    }
    let places = (0..<inner).map { channel * inner + $0 }
    guard let place = places.max(by: { abs(y[$0] - beta[channel]) < abs(y[$1] - beta[channel]) }),
      y[place] != beta[channel]
    else { return nil }
    let ratio = Double(gamma[channel]) * Double(x[place] - mu[channel]) / Double(y[place] - beta[channel])
    let epsilon = ratio * ratio - Double(sigma[channel])
    guard epsilon > 1e-9, epsilon < 1 else { return nil }
    let near = Self.epsilons.first { abs(Double($0) - epsilon) < 0.02 * epsilon }
    // Three digits are all that float32 can tell.
    return near == nil ? Float(String(format: "%.3g", epsilon)) : nil
  }

  /// Mean and variance over all but the channels, as BatchNorm takes them in training.
  private func batchStatistics() throws -> (FloatTensor, FloatTensor) {
    let channels = input.shape.count > 1 ? input.shape[1] : 0
    let inner = input.shape.dropFirst(2).reduce(1, *)
    let x = try input.values()
    var (means, variances) = ([Float](), [Float]())
    for channel in 0..<channels {
      var (sum, squares) = (0.0, 0.0)
      for row in 0..<input.shape[0] {
        for place in 0..<inner { sum += Double(x[(row * channels + channel) * inner + place]) }
      }
      let count = Double(max(input.shape[0] * inner, 1))
      for row in 0..<input.shape[0] {
        for place in 0..<inner {
          let centred = Double(x[(row * channels + channel) * inner + place]) - sum / count
          squares += centred * centred
        }
      }
      means.append(Float(sum / count))
      variances.append(Float(squares / count))
    }
    return (FloatTensor(shape: [channels], values: means), FloatTensor(shape: [channels], values: variances))
  }
}

extension FloatTensor {
  func mapped(_ transform: (Float) -> Float) throws -> FloatTensor {
    FloatTensor(shape: shape, values: try values().map(transform))
  }
}
