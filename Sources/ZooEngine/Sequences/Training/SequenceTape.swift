import COneDNN
import ZooCheckpoint
import ZooGraph

/// One step of training: what every node made on the way forward, and the gradients on the way back.
final class SequenceTape {
  let program: SequenceProgram
  let input: SequenceLayout
  let decoder: SequenceLayout?
  let pool: MatrixPool
  /// nil where dropout doesn't drop.
  let seed: UInt64?
  var biases = PositionBiases()
  private let parameters: UnsafeBufferPointer<Float>
  private let frozen: UnsafeBufferPointer<Float>
  private var values: [ValueID: Matrix] = [:]
  private var slopes: [ValueID: Matrix] = [:]
  private var gradients = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)

  /// - Throws: ``EngineError``.
  init(
    _ program: SequenceProgram, _ parameters: UnsafeBufferPointer<Float>, _ frozen: UnsafeBufferPointer<Float>,
    batch: SequenceBatch, pool: MatrixPool, seed: UInt64?
  ) throws {
    self.program = program
    self.parameters = parameters
    self.frozen = frozen
    self.pool = pool
    self.seed = seed
    let starts = [Int](repeating: 0, count: batch.count)
    switch batch.source {
    case .tokens(let tokens): input = try SequenceLayout(tokens, starts: starts, limit: program.maximumLength)
    case .features(let features):
      let columns = program.shapes[program.graph.input.index].last ?? 0
      for tensor in features where tensor.shape.count != 2 || tensor.shape[1] != columns {
        throw EngineError.inputShape(expected: [tensor.shape.first ?? 1, columns], found: tensor.shape)
      }
      let rows = features.map { [Int](repeating: 0, count: $0.shape[0]) }
      input = try SequenceLayout(SequenceInput(ids: rows), starts: starts, limit: nil)
      let joined = pool.take(rows: input.rows, columns: columns)
      for (tensor, first) in zip(features, input.firsts) {
        try tensor.withValues { values in
          if let base = values.baseAddress { joined.row(first).update(from: base, count: values.count) }
        }
      }
      values[program.graph.input] = joined
    }
    decoder = try batch.decoder.map {
      try SequenceLayout(SequenceInput(ids: $0), starts: starts, limit: program.maximumLength)
    }
  }

  /// - Parameter keeps: whether the way back follows; else values go as soon as nobody reads them.
  func forward(keeps: Bool) throws {
    for (index, node) in program.graph.nodes.enumerated() {
      if program.isParameter(node.output) { continue }
      values[node.output] = try forward(node, at: index)
      for value in Set(node.inputs) where program.lastReader[value] == index {
        let isRead = keeps && program.wantsGradient(node.output)
        if !isRead && value != program.output { values[value] = nil }
      }
    }
  }

  /// Losses of the output's rows. The output becomes its own gradient.
  func judge(_ targets: SequenceTargets) throws -> SequenceOutcome {
    let logits = try output()
    guard targets.columns.count == logits.rows, targets.columns.allSatisfy({ $0 < logits.columns }) else {
      throw EngineError.inputShape(
        expected: [logits.rows, logits.columns], found: [targets.columns.count, targets.columns.max() ?? 0])
    }
    var outcome = SequenceOutcome()
    outcome.count = targets.columns.count { $0 >= 0 }
    guard outcome.count > 0 else { throw EngineError.inputShape(expected: [1], found: [0]) }
    let columns = targets.columns.map { Int32(max($0, -1)) }
    var losses = [Double](repeating: 0, count: logits.rows)
    var places = [Int32](repeating: 0, count: logits.rows)
    zoo_cross_entropy_rows(
      logits.base, Int64(logits.rows), Int64(logits.columns), columns, targets.smoothing, 1 / Float(outcome.count),
      &losses, &places)
    for (row, target) in columns.enumerated() where target >= 0 {
      outcome.loss += losses[row]
      outcome.correct += places[row] == target ? 1 : 0
    }
    values[program.output] = nil
    slopes[program.output] = logits
    return outcome
  }

  func backward(into gradients: UnsafeMutableBufferPointer<Float>) throws {
    self.gradients = gradients
    for (index, node) in program.graph.nodes.enumerated().reversed() where program.wantsGradient(node.output) {
      guard !program.isParameter(node.output) else { continue }
      values[node.output] = nil
      guard let slope = slopes.removeValue(forKey: node.output) else { continue }
      try backward(node, at: index, slope)
    }
  }

  func output() throws -> Matrix { try value(program.output, "output") }

  func value(_ value: ValueID, _ node: String) throws(EngineError) -> Matrix {
    guard let matrix = values[value] else {
      throw .unsupported(node: node, problem: "reads value \(value.index), which no step makes")
    }
    return matrix
  }

  func layout(of value: ValueID, _ node: Node) throws(EngineError) -> SequenceLayout {
    guard program.isDecoded(value) || value == program.graph.decoderInput else { return input }
    guard let decoder else { throw .unsupported(node: node.name, problem: "is a decoder's, which was given nothing") }
    return decoder
  }

  /// A parameter's values.
  func parameter(_ value: ValueID, _ node: Node) throws(EngineError) -> UnsafePointer<Float> {
    let place = try program.place(value, node)
    guard let base = (place.trains ? parameters : frozen).baseAddress else { throw .missingWeight(name: node.name) }
    return base + place.offset
  }

  /// Where a parameter's gradient is added up; nil where it doesn't learn.
  func gradient(_ value: ValueID, _ node: Node) throws(EngineError) -> UnsafeMutablePointer<Float>? {
    let place = try program.place(value, node)
    return place.trains ? gradients.baseAddress.map { $0 + place.offset } : nil
  }

  /// Where a value's gradient is added up, all zero at first; nil where it leads to nothing that learns.
  func slopes(of value: ValueID, _ node: Node) throws(EngineError) -> Matrix? {
    guard program.wantsGradient(value) else { return nil }
    if let known = slopes[value] { return known }
    let like = try self.value(value, node.name)
    let made = pool.take(rows: like.rows, columns: like.columns)
    made.clear()
    slopes[value] = made
    return made
  }

  /// Adds to a value's gradient; takes the matrix itself where nothing stands there yet and `isLast`, after which the
  /// caller may not touch it.
  func add(_ slope: Matrix, to value: ValueID, isLast: Bool) {
    guard program.wantsGradient(value) else { return }
    if let known = slopes[value] {
      zoo_add_scaled(slope.base, 1, known.base, Int64(slope.count))
    } else if isLast {
      slopes[value] = slope
    } else {
      let copy = pool.take(rows: slope.rows, columns: slope.columns)
      copy.copy(slope)
      slopes[value] = copy
    }
  }
}
