import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// Networks that read a sequence step by step.
  static let recurrent: [String: Kernel] = [
    "RNN": { try $0.recurrent(gates: 1) },
    "GRU": { try $0.recurrent(gates: 3) },
    "LSTM": { try $0.recurrent(gates: 4) },
  ]
}

/// An activation of a recurrent cell, with its parameters.
private struct CellActivation {
  let name: String
  let alpha: Double?
  let beta: Double?

  func callAsFunction(_ x: Double) throws -> Double {
    switch name.lowercased() {
    case "tanh": tanh(x)
    case "sigmoid": 1 / (1 + exp(-x))
    case "relu": max(0, x)
    case "affine": (alpha ?? 1) * x + (beta ?? 0)
    case "leakyrelu": x < 0 ? (alpha ?? 0.01) * x : x
    case "thresholdedrelu": x > (alpha ?? 1) ? x : 0
    case "scaledtanh": (alpha ?? 1) * tanh((beta ?? 1) * x)
    case "hardsigmoid": max(0, min(1, (alpha ?? 0.2) * x + (beta ?? 0.5)))
    case "elu": x < 0 ? (alpha ?? 1) * (exp(x) - 1) : x
    case "softsign": x / (1 + abs(x))
    case "softplus": log1p(exp(x))
    default: throw ONNXProgramError(.badAttribute("activations", found: name))
    }
  }
}

/// One direction of a recurrent network: sizes, parameters and what its cell computes.
private struct RecurrentDirection {
  let gates: Int
  let batch: Int, hidden: Int
  let recurrence: [Double]
  let recurrenceBias: [Double]
  let peepholes: [Double]
  let activations: [CellActivation]
  let clip: Double
  let resetsAfter: Bool
  let couplesInput: Bool

  private func clipped(_ x: Double) -> Double { clip > 0 ? min(max(x, -clip), clip) : x }

  /// What the state adds to one gate of one row.
  private func recurrent(_ state: [Double], row: Int, gate: Int, unit: Int) -> Double {
    let weights = (gate * hidden + unit) * hidden
    var sum = 0.0
    for other in 0..<hidden { sum += state[row * hidden + other] * recurrence[weights + other] }
    return sum
  }

  /// - Parameter x: the input's part of every gate of this step, biases included: [gates × hidden] of one row.
  func step(_ x: [Double], row: Int, _ state: inout [Double], _ cell: inout [Double]) throws {
    let before = state
    func input(_ gate: Int, _ unit: Int) -> Double { x[gate * hidden + unit] }
    switch gates {
    case 1:
      for unit in 0..<hidden {
        let sum = input(0, unit) + recurrent(before, row: row, gate: 0, unit: unit) + recurrenceBias[unit]
        state[row * hidden + unit] = try activations[0](clipped(sum))
      }
    case 3: try gatedStep(input, row: row, before, &state)
    default:
      for unit in 0..<hidden {
        let place = row * hidden + unit
        func gate(_ number: Int) -> Double {
          input(number, unit) + recurrent(before, row: row, gate: number, unit: unit)
            + recurrenceBias[number * hidden + unit]
        }
        func peephole(_ number: Int) -> Double { peepholes[number * hidden + unit] }
        let old = cell[place]
        // Gates in ONNX's order: input, output, forget, cell.
        let entry = try activations[0](clipped(gate(0) + peephole(0) * old))
        let forget = couplesInput ? 1 - entry : try activations[0](clipped(gate(2) + peephole(2) * old))
        cell[place] = forget * old + entry * (try activations[1](clipped(gate(3))))
        let exit = try activations[0](clipped(gate(1) + peephole(1) * cell[place]))
        state[place] = exit * (try activations[2](cell[place]))
      }
    }
  }

  /// Gates in ONNX's order: update, reset, hidden.
  private func gatedStep(
    _ input: (Int, Int) -> Double, row: Int, _ before: [Double], _ state: inout [Double]
  ) throws {
    var (update, reset) = ([Double](), [Double]())
    for unit in 0..<hidden {
      let sums = (0..<2).map { gate in
        input(gate, unit) + recurrent(before, row: row, gate: gate, unit: unit) + recurrenceBias[gate * hidden + unit]
      }
      update.append(try activations[0](clipped(sums[0])))
      reset.append(try activations[0](clipped(sums[1])))
    }
    var held = before
    if !resetsAfter { for unit in 0..<hidden { held[row * hidden + unit] *= reset[unit] } }
    for unit in 0..<hidden {
      let sum = recurrent(held, row: row, gate: 2, unit: unit) + recurrenceBias[2 * hidden + unit]
      let candidate = try activations[1](clipped(input(2, unit) + (resetsAfter ? reset[unit] * sum : sum)))
      state[row * hidden + unit] = (1 - update[unit]) * candidate + update[unit] * before[row * hidden + unit]
    }
  }
}

extension KernelCall {
  fileprivate func recurrent(gates: Int) throws -> [ONNXValue] {
    let isBatchFirst = opset >= 14 ? try flag("layout", false) : false
    let source = try input(0)
    guard source.rank == 3 else { throw ONNXProgramError(.rank(found: source.rank, needed: "3")) }
    let dtype = try self.dtype(of: source)
    let x = isBatchFirst ? try transposed(source, [1, 0, 2]) : source
    let (length, batch, inputs) = (x.shape[0], x.shape[1], x.shape[2])
    let (weights, recurrence) = (try input(1), try input(2))
    let directions = try string("direction", "forward") == "bidirectional" ? 2 : 1
    let hidden = recurrence.shape.last ?? 0
    guard weights.shape == [directions, gates * hidden, inputs],
      recurrence.shape == [directions, gates * hidden, hidden]
    else { throw ONNXProgramError(.shapesDiffer(weights.shape, recurrence.shape)) }
    let lengths = try optional(4)?.integers() ?? [Int](repeating: length, count: batch)
    guard lengths.count == batch, lengths.allSatisfy({ (0...length).contains($0) }) else {
      throw ONNXProgramError(.count(found: lengths.count, needed: batch))
    }
    var states = try initial(5, directions, batch, hidden, isBatchFirst)
    var cells = gates == 4 ? try initial(6, directions, batch, hidden, isBatchFirst) : states
    let (bias, recurrenceBias) = try biases(gates * hidden, directions)
    let peepholes = try gates == 4 ? parameter(7, 3 * hidden, directions) : []
    var sequence = [Double](repeating: 0, count: try count([length, directions, batch, hidden]))
    let kinds = try activations(gates: gates, directions: directions)
    for direction in 0..<directions {
      let part = try matmul(
        x.cast(to: .float64).reshaped([length * batch, inputs]),
        transposed(
          self.part(weights, axis: 0, start: direction, size: 1).reshaped([gates * hidden, inputs]), [1, 0]
        ).cast(to: .float64))
      let sums = try part.doubles()
      let cell = RecurrentDirection(
        gates: gates, batch: batch, hidden: hidden,
        recurrence: try self.part(recurrence, axis: 0, start: direction, size: 1).doubles(),
        recurrenceBias: recurrenceBias[direction], peepholes: peepholes.isEmpty ? [] : peepholes[direction],
        activations: kinds[direction], clip: Double(try float("clip", 0)),
        resetsAfter: try flag("linear_before_reset", false), couplesInput: try flag("input_forget", false))
      let width = gates * hidden
      let isReverse = try direction == 1 || string("direction", "forward") == "reverse"
      for row in 0..<batch {
        for turn in 0..<lengths[row] {
          let time = isReverse ? lengths[row] - 1 - turn : turn
          let start = (time * batch + row) * width
          let step = (0..<width).map { sums[start + $0] + bias[direction][$0] }
          try cell.step(step, row: row, &states[direction], &cells[direction])
          for unit in 0..<hidden {
            sequence[((time * directions + direction) * batch + row) * hidden + unit] =
              states[direction][row * hidden + unit]
          }
        }
      }
    }
    return try results(
      sequence, states, gates == 4 ? cells : nil, [length, directions, batch, hidden], isBatchFirst, dtype)
  }

  private func results(
    _ sequence: [Double], _ states: [[Double]], _ cells: [[Double]]?, _ shape: [Int], _ isBatchFirst: Bool,
    _ dtype: DType
  ) throws -> [ONNXValue] {
    let all = try ONNXValue(shape: shape, sequence).cast(to: dtype)
    let last = try ([states] + (cells.map { [$0] } ?? [])).map { list -> ONNXValue in
      let value = try ONNXValue(shape: Array(shape[1...]), Array(list.joined())).cast(to: dtype)
      return isBatchFirst ? try transposed(value, [1, 0, 2]) : value
    }
    return [isBatchFirst ? try transposed(all, [2, 0, 1, 3]) : all] + last
  }

  private func initial(
    _ position: Int, _ directions: Int, _ batch: Int, _ hidden: Int, _ isBatchFirst: Bool
  ) throws -> [[Double]] {
    guard var value = optional(position) else {
      return [[Double]](repeating: [Double](repeating: 0, count: batch * hidden), count: directions)
    }
    if isBatchFirst, value.rank == 3 { value = try transposed(value, [1, 0, 2]) }
    guard value.shape == [directions, batch, hidden] else {
      throw ONNXProgramError(.shapesDiffer([directions, batch, hidden], value.shape))
    }
    return try rows(value.doubles(), directions)
  }

  private func rows(_ values: [Double], _ count: Int) -> [[Double]] {
    let length = values.count / count
    return (0..<count).map { Array(values[($0 * length)..<(($0 + 1) * length)]) }
  }

  private func parameter(_ position: Int, _ length: Int, _ directions: Int) throws -> [[Double]] {
    let zeros = [[Double]](repeating: [Double](repeating: 0, count: length), count: directions)
    guard let value = optional(position) else { return zeros }
    guard value.count == directions * length else {
      throw ONNXProgramError(.count(found: value.count, needed: directions * length))
    }
    return try rows(value.doubles(), directions)
  }

  private func biases(_ width: Int, _ directions: Int) throws -> ([[Double]], [[Double]]) {
    let both = try parameter(3, 2 * width, directions)
    return (both.map { Array($0[..<width]) }, both.map { Array($0[width...]) })
  }

  private func activations(gates: Int, directions: Int) throws -> [[CellActivation]] {
    let perDirection = [1: 1, 3: 2, 4: 3][gates] ?? 1
    let missing = gates == 1 ? ["Tanh"] : gates == 3 ? ["Sigmoid", "Tanh"] : ["Sigmoid", "Tanh", "Tanh"]
    let names = try strings("activations") ?? (0..<directions).flatMap { _ in missing }
    guard names.count == perDirection * directions else {
      throw ONNXProgramError(.count(found: names.count, needed: perDirection * directions))
    }
    // Parameters come in the order of the activations that have any.
    var (alphas, betas) = ((try floats("activation_alpha") ?? [])[...], (try floats("activation_beta") ?? [])[...])
    let all = names.map { name -> CellActivation in
      let takesAlpha = ["affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu"].contains(
        name.lowercased())
      let takesBeta = ["affine", "scaledtanh", "hardsigmoid"].contains(name.lowercased())
      return CellActivation(
        name: name, alpha: takesAlpha ? alphas.popFirst().map { Double($0) } : nil,
        beta: takesBeta ? betas.popFirst().map { Double($0) } : nil)
    }
    return (0..<directions).map { Array(all[($0 * perDirection)..<(($0 + 1) * perDirection)]) }
  }
}
