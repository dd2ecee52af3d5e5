import ZooCheckpoint
import ZooEngine
import ZooGraph

/// The weights that a network's changes of low rank belong to, and what a run has learnt of them: for a weight `x` the
/// factors `x.lora_A` [rank, inputs] and `x.lora_B` [outputs, rank].
struct LowRankFactors {
  var weights: [MatrixWeight] = []
  var settings = LowRank()

  static func names(of weight: String) -> (a: String, b: String) { (weight + ".lora_A", weight + ".lora_B") }

  func change(of weight: MatrixWeight) -> LowRankChange {
    LowRankChange(
      outputs: weight.outputs, inputs: weight.inputs, rank: settings.rank, scale: settings.scale,
      isTurned: weight.isTurned)
  }

  /// Numbers in the factors.
  var count: Int { weights.reduce(0) { $0 + settings.rank * ($1.outputs + $1.inputs) } }

  /// A as torch's linear layers begin, uniform within 1 / √inputs (He et al.'s rule with a = √5), B with zeros, so that the
  /// network begins as it was: as PEFT has it.
  func start(seed: UInt64) -> Weights {
    var random = SeededGenerator(seed: seed, -2)
    var factors = Weights()
    for weight in weights {
      let bound = 1 / Double(weight.inputs).squareRoot()
      let names = Self.names(of: weight.name)
      factors[names.a] = FloatTensor(
        shape: [settings.rank, weight.inputs],
        values: (0..<settings.rank * weight.inputs).map { _ in Float(random.uniform(-bound...bound)) })
      factors[names.b] = FloatTensor(
        shape: [weight.outputs, settings.rank], values: [Float](repeating: 0, count: weight.outputs * settings.rank))
    }
    return factors
  }

  /// What a run has learnt under the network's own names alone: changes are added to their weights.
  ///
  /// - Parameter weight: gives a weight as it was before; nil leaves it out.
  /// - Throws: `EngineError`, `TensorError`, `FileError`.
  func merged(_ learnt: Weights, into weight: (_ name: String) throws -> FloatTensor?) throws -> Weights {
    var merged = learnt
    for target in weights {
      let names = Self.names(of: target.name)
      guard let a = merged.removeValue(forKey: names.a), let b = merged.removeValue(forKey: names.b),
        let before = try weight(target.name)
      else { continue }
      merged[target.name] = try change(of: target).changed(before, a: a, b: b)
    }
    return merged
  }
}

extension LowRankChange {
  /// - Throws: `EngineError`, `TensorError`, `FileError`.
  func changed(_ weight: FloatTensor, a: FloatTensor, b: FloatTensor) throws -> FloatTensor {
    var values = try weight.values()
    try values.withUnsafeMutableBufferPointer { values in
      try a.withValues { a in
        try b.withValues { b in
          guard let to = values.baseAddress, let a = a.baseAddress, let b = b.baseAddress else { return }
          try add(a: a, b: b, to: to)
        }
      }
    }
    return FloatTensor(shape: weight.shape, values: values)
  }
}
