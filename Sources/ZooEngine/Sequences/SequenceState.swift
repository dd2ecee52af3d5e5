import COneDNN
import ZooCheckpoint
import ZooGraph

/// Sequences under way: what a network has made of them so far, so that each further token costs no more than itself.
public final class SequenceState {
  private let plan: SequencePlan
  private let workspace: SequenceWorkspace
  private let caches: [SequenceCache]
  private var biases = PositionBiases()
  /// Tokens of each sequence so far.
  public private(set) var lengths: [Int]
  /// Which text of the input each sequence answers to.
  private var sources: [Int]
  private var input: SequenceLayout?

  /// Starts `count` sequences of a network without an encoder.
  public init(_ plan: SequencePlan, sequences count: Int) {
    self.plan = plan
    workspace = plan.takeWorkspace()
    caches = plan.lowered.cacheColumns.map { SequenceCache(columns: $0) }
    lengths = [Int](repeating: 0, count: count)
    sources = Array(0..<count)
  }

  deinit { plan.giveBack(workspace) }

  /// Starts an answer to each text of an encoder-decoder's input.
  ///
  /// - Throws: ``EngineError``.
  public convenience init(_ plan: SequencePlan, answering input: SequenceInput) throws {
    self.init(plan, sequences: input.ids.count)
    let layout = try SequenceLayout(input, starts: lengths, limit: plan.maximumLength)
    self.input = layout
    try plan.exclusively { try run(.input, layout, lastOnly: false) }
  }

  /// Runs further tokens of each sequence.
  ///
  /// - Parameter lastOnly: whether logits are wanted of each sequence's last token alone.
  /// - Returns: the outputs; of logits [rows, columns] a row for each new token, or for each sequence.
  /// - Throws: ``EngineError``.
  public func advance(
    _ tokens: [[Int]], typeIDs: [[Int]]? = nil, lastOnly: Bool = false
  ) throws -> [FloatTensor] {
    let side: SequenceSide = plan.hasDecoder ? .decoder : .input
    let layout = try SequenceLayout(
      SequenceInput(ids: tokens, typeIDs: typeIDs), starts: lengths, limit: plan.maximumLength)
    try plan.exclusively { try run(side, layout, lastOnly: lastOnly) }
    for index in lengths.indices { lengths[index] += layout.counts[index] }
    return try zip(plan.lowered.outputs, plan.lowered.outputRows).map { view, rows in
      let isLogits = lastOnly && view.matrix == plan.lowered.logits?.matrix
      return try workspace.tensor(view, rows: isLogits ? layout.counts.count : layout.count(of: rows))
    }
  }

  /// Goes on with the given sequences alone, in that order; one may be named several times, as in a beam search.
  public func select(_ indices: [Int]) {
    for cache in caches { cache.select(indices, lengths: lengths) }
    lengths = indices.map { lengths[$0] }
    sources = indices.map { sources[$0] }
  }

  private func run(_ side: SequenceSide, _ layout: SequenceLayout, lastOnly: Bool) throws {
    workspace.reserve(side, layout)
    let longest = zip(lengths, layout.counts).map(+).max() ?? 0
    for cache in caches { cache.reserve(count: lengths.count, length: longest) }
    for (index, step) in plan.lowered.steps.enumerated() where step.rows.side == side {
      let isLast = lastOnly && index == plan.lowered.logitsStep
      try run(step, index, layout, rows: isLast ? layout.lasts : nil)
    }
  }

  /// - Parameter rows: the rows of a product's input that are wanted; nil for all.
  private func run(_ step: SequenceStep, _ index: Int, _ layout: SequenceLayout, rows: [Int]?) throws {
    let output = try workspace.pointer(step.output)
    let outputRow = Int64(workspace.stride(of: step.output))
    let (count, columns) = (Int64(layout.count(of: step.rows)), Int64(step.output.columns))
    if case .embedding(let table, let kind) = step.kernel {
      return try embed(table, kind, layout, output, stride: Int(outputRow), node: step.name)
    }
    guard let view = step.input else { return }
    let (input, inputRow) = (try workspace.pointer(view), Int64(workspace.stride(of: view)))
    switch step.kernel {
    case .embedding: break
    case .product(let panels, let activation, let residual):
      try multiply(step, panels, activation, residual, rows: rows, count: Int(count))
    case .normalization(let weight, let bias, let epsilon):
      weight.withUnsafeBufferPointer { weight in
        (bias ?? []).withUnsafeBufferPointer { shift in
          zoo_normalize_rows(
            input, inputRow, output, outputRow, count, columns, weight.baseAddress,
            bias == nil ? nil : shift.baseAddress, epsilon)
        }
      }
    case .add(let other):
      zoo_add_rows(
        input, inputRow, try workspace.pointer(other), Int64(workspace.stride(of: other)), output, outputRow, count,
        columns)
    case .multiply(let other):
      zoo_multiply_rows(
        input, inputRow, try workspace.pointer(other), Int64(workspace.stride(of: other)), output, outputRow, count,
        columns)
    case .scale(let factor): zoo_scale_rows(input, inputRow, factor, output, outputRow, count, columns)
    case .activation(let kind):
      zoo_activate_rows(input, inputRow, kind.code, output, outputRow, count, columns)
    case .attention(let attention, let keys, let values, let bias, let cache):
      try attend(step, attention, keys, values, bias, cache, step: index, layout)
    case .select(let token):
      for (sequence, row) in (token == .first ? layout.firsts : layout.lasts).enumerated() {
        (output + sequence * Int(outputRow)).update(from: input + row * Int(inputRow), count: Int(columns))
      }
    }
  }

  private func multiply(
    _ step: SequenceStep, _ panels: SequencePanels, _ activation: Activation?, _ residual: SequenceView?, rows: [Int]?,
    count: Int
  ) throws {
    guard let view = step.input else { return }
    var product = zoo_product()
    product.input = UnsafePointer(try workspace.pointer(view))
    product.input_row = Int64(workspace.stride(of: view))
    product.rows = Int64(count)
    if let rows {
      let room = workspace.scratch(rows.count * view.columns)
      for (place, row) in rows.enumerated() {
        guard let to = room.baseAddress else { break }
        (to + place * view.columns).update(from: try workspace.pointer(view, row: row), count: view.columns)
      }
      product.input = UnsafePointer(room.baseAddress)
      product.input_row = Int64(view.columns)
      product.rows = Int64(rows.count)
    }
    product.activation = activation?.code ?? ZOO_NO_ACTIVATION
    if let residual {
      product.residual = UnsafePointer(try workspace.pointer(residual))
      product.residual_row = Int64(workspace.stride(of: residual))
    }
    product.output = try workspace.pointer(step.output)
    product.output_row = Int64(workspace.stride(of: step.output))
    if let bias = panels.bias {
      bias.withUnsafeBufferPointer {
        product.bias = $0.baseAddress
        zoo_panels_multiply(panels.handle, &product)
      }
    } else {
      zoo_panels_multiply(panels.handle, &product)
    }
  }

  private func embed(
    _ table: FloatTensor, _ kind: EmbeddingIndex, _ layout: SequenceLayout, _ output: UnsafeMutablePointer<Float>,
    stride: Int, node: String
  ) throws {
    let (rows, columns) = (try layout.tableRows(kind, of: table.shape[0], node: node), table.shape[1])
    try table.withValues { values in
      guard let base = values.baseAddress else { return }
      for (row, index) in rows.enumerated() {
        (output + row * stride).update(from: base + index * columns, count: columns)
      }
    }
  }
}

extension SequenceState {
  private func attend(
    _ place: SequenceStep, _ attention: SequenceAttention, _ keys: SequenceView, _ values: SequenceView,
    _ table: [Float]?, _ cache: Int?, step: Int, _ layout: SequenceLayout
  ) throws {
    guard let queries = place.input else { return }
    if let cache { try remember(keys, values, in: caches[cache], layout) }
    var longest = 0
    var sequences: [zoo_sequence] = []
    for index in layout.counts.indices {
      var sequence = zoo_sequence()
      sequence.queries = UnsafePointer(try workspace.pointer(queries, row: layout.firsts[index]))
      sequence.query_row = Int64(workspace.stride(of: queries))
      sequence.query_count = Int64(layout.counts[index])
      sequence.output = try workspace.pointer(place.output, row: layout.firsts[index])
      sequence.output_row = Int64(workspace.stride(of: place.output))
      if let cache {
        sequence.keys = UnsafePointer(caches[cache].keys[index])
        sequence.values = UnsafePointer(caches[cache].values[index])
        sequence.key_row = Int64(caches[cache].columns)
        sequence.value_row = sequence.key_row
        sequence.key_count = Int64(lengths[index] + layout.counts[index])
      } else {
        let other = attention.isCross ? input ?? layout : layout
        let source = attention.isCross ? sources[index] : index
        sequence.keys = UnsafePointer(try workspace.pointer(keys, row: other.firsts[source]))
        sequence.values = UnsafePointer(try workspace.pointer(values, row: other.firsts[source]))
        sequence.key_row = Int64(workspace.stride(of: keys))
        sequence.value_row = Int64(workspace.stride(of: values))
        sequence.key_count = Int64(other.counts[source])
      }
      longest = max(longest, Int(sequence.key_count))
      sequences.append(sequence)
    }
    var description = zoo_sequence_attention()
    description.heads = Int64(attention.heads)
    description.width = Int64(place.output.columns / attention.heads)
    description.scale = attention.scale
    description.is_causal = attention.isCausal ? 1 : 0
    let bias = table.flatMap { table in
      attention.positions.map { biases.row(for: step, $0, table: table, heads: attention.heads, longest: longest) }
    }
    (bias?.values ?? []).withUnsafeBufferPointer { numbers in
      if let bias {
        description.bias = numbers.baseAddress
        description.distances = Int64(bias.distances)
      }
      let scratch = workspace.scratch(Int(zoo_attend_scratch(&description, Int64(longest))))
      zoo_attend(&description, sequences, Int64(sequences.count), scratch.baseAddress)
    }
  }

  /// Puts the new tokens' keys and values behind those of the tokens before.
  private func remember(
    _ keys: SequenceView, _ values: SequenceView, in cache: SequenceCache, _ layout: SequenceLayout
  ) throws {
    for index in layout.counts.indices {
      for offset in 0..<layout.counts[index] {
        let row = layout.firsts[index] + offset
        let place = (lengths[index] + offset) * cache.columns
        (cache.keys[index] + place).update(from: try workspace.pointer(keys, row: row), count: cache.columns)
        (cache.values[index] + place).update(from: try workspace.pointer(values, row: row), count: cache.columns)
      }
    }
  }
}

/// T5's position bias by distance instead of by bucket, made once for the longest sequence so far.
struct PositionBiases {
  struct Row {
    /// heads × distances; the middle one of each head is for the query's own place.
    var values: [Float]
    var distances: Int
    var longest: Int
  }
  private var rows: [Int: Row] = [:]
  /// Kernels read whole vectors.
  private static let margin = 32

  mutating func row(
    for step: Int, _ positions: RelativePositions, table: [Float], heads: Int, longest: Int
  ) -> Row {
    if let known = rows[step], known.longest >= longest { return known }
    let reach = max(64, 2 * longest)
    let distances = 2 * (reach + Self.margin)
    var values = [Float](repeating: 0, count: heads * distances)
    for offset in -reach...reach {
      let bucket = positions.bucket(of: offset)
      for head in 0..<heads {
        values[head * distances + distances / 2 + offset] = table[bucket * heads + head]
      }
    }
    let row = Row(values: values, distances: distances, longest: reach)
    rows[step] = row
    return row
  }
}
