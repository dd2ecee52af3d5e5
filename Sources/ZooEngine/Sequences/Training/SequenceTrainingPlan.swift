import COneDNN
import ZooCheckpoint
import ZooGraph

/// A network of sequences with its gradients: reverse-mode differentiation from the loss back to the first trainable
/// parameter and no further.
///
/// Batches of any texts run. Trainable parameters and their gradients are flat buffers; see ``layout``.
public final class SequenceTrainingPlan {
  /// Where each trainable parameter stands in ``parameters`` and ``gradients``.
  public let layout: ParameterLayout
  public var parameters: [Float]
  public private(set) var gradients: [Float]
  let program: SequenceProgram
  private let frozen: [Float]
  private let options: TrainingOptions
  private let pool = MatrixPool()

  /// - Parameters:
  ///   - graph: a network of sequences; its input are token ids, or features where no embedding reads it.
  ///   - trainable: names of the parameters to train.
  /// - Throws: ``EngineError``, `GraphError`, `FileError`.
  public init(
    graph: Graph, weights: Weights, trainable: Set<String>, inputColumns: Int = 1, options: TrainingOptions = .init()
  ) throws {
    layout = ParameterLayout(graph.parameters.filter { trainable.contains($0.name) })
    let frozenLayout = ParameterLayout(graph.parameters.filter { !trainable.contains($0.name) })
    program = try SequenceProgram(graph, trainable: layout, frozen: frozenLayout, inputColumns: inputColumns)
    self.options = options
    parameters = [Float](repeating: 0, count: layout.count)
    gradients = parameters
    var others = [Float](repeating: 0, count: frozenLayout.count)
    try layout.fill(&parameters, from: weights)
    try frozenLayout.fill(&others, from: weights)
    frozen = others
  }

  /// Columns of the first output.
  public var outputColumns: Int { program.outputColumns }

  /// Runs forward and backward on one batch and fills ``gradients`` with those of the mean loss; parameters stay as they
  /// are.
  ///
  /// - Parameter seed: decides what dropout drops.
  /// - Throws: ``EngineError``.
  public func step(_ batch: SequenceBatch, _ targets: SequenceTargets, seed: UInt64 = 0) throws -> SequenceOutcome {
    gradients.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    return try withTape(batch, seed: options.dropsOut ? seed : nil) { tape in
      try gradients.withUnsafeMutableBufferPointer { gradients in
        try tape.forward(keeps: true)
        let outcome = try tape.judge(targets)
        try tape.backward(into: gradients)
        return outcome
      }
    }
  }

  /// How the network does as it is: nothing is dropped, nothing learnt.
  ///
  /// - Throws: ``EngineError``.
  public func judge(_ batch: SequenceBatch, _ targets: SequenceTargets) throws -> SequenceOutcome {
    try withTape(batch, seed: nil) { tape in
      try tape.forward(keeps: false)
      return try tape.judge(targets)
    }
  }

  /// The first output, [rows, columns].
  ///
  /// - Throws: ``EngineError``.
  public func output(_ batch: SequenceBatch) throws -> FloatTensor {
    try withTape(batch, seed: nil) { tape in
      try tape.forward(keeps: false)
      let matrix = try tape.output()
      return FloatTensor(shape: [matrix.rows, matrix.columns], values: matrix.values)
    }
  }

  /// The trainable weights as they are now.
  public func trainedWeights() -> Weights {
    var weights = Weights()
    layout.read(parameters, into: &weights)
    return weights
  }

  private func withTape<R>(
    _ batch: SequenceBatch, seed: UInt64?, _ body: (SequenceTape) throws -> R
  ) throws -> R {
    zoo_sequences_use_threads(Int32(options.threads ?? 0))
    return try parameters.withUnsafeBufferPointer { parameters in
      try frozen.withUnsafeBufferPointer { frozen in
        let tape = try SequenceTape(program, parameters, frozen, batch: batch, pool: pool, seed: seed)
        return try body(tape)
      }
    }
  }
}
