/// Modules of networks of sequences; see ``SequenceOperation`` for the shapes.
extension GraphBuilder {
  /// `nn.Embedding`: weight [rows, width].
  ///
  /// - Parameter ids: the token ids that the rows are for: the graph's input where nil.
  public mutating func embedding(
    _ name: String, _ index: EmbeddingIndex = .token, of ids: ValueID? = nil, rows: Int, width: Int
  ) -> ValueID {
    embedding(name, index, of: ids, table: ownParameter(name + ".weight", [rows, width], initial: .table))
  }

  public mutating func embedding(
    _ name: String, _ index: EmbeddingIndex = .token, of ids: ValueID? = nil, table: ValueID
  ) -> ValueID {
    add(.sequence(.embedding(index)), [ids ?? graph.input, table], name: name)
  }

  /// The ids that a decoder goes on from.
  public mutating func decoderInput() -> ValueID {
    if let known = graph.decoderInput { return known }
    let value = graph.makeValue()
    graph.decoderInput = value
    return value
  }

  /// `T5LayerNorm`: weight [channels].
  public mutating func rootMeanSquareNorm(_ name: String, _ x: ValueID, channels: Int, epsilon: Float) -> ValueID {
    let weight = ownParameter(name + ".weight", [channels])
    return add(.sequence(.rootMeanSquareNormalization(epsilon: epsilon)), [x, weight], name: name)
  }

  public mutating func product(_ a: ValueID, _ b: ValueID) -> ValueID {
    add(.sequence(.multiply), [a, b], name: "multiply")
  }

  public mutating func scale(_ x: ValueID, by factor: Float) -> ValueID {
    add(.sequence(.scale(factor)), [x], name: "scale")
  }

  /// - Parameter operands: queries, keys, values, the position bias table.
  public mutating func attention(_ attention: SequenceAttention, _ operands: [ValueID]) -> ValueID {
    add(.sequence(.attention(attention)), operands, name: "attention")
  }

  /// One token of each sequence.
  public mutating func select(_ token: SequenceToken, _ x: ValueID) -> ValueID {
    add(.sequence(.select(token)), [x], name: "select")
  }

  /// A linear layer with the weights of an embedding [outputs, inputs], and a bias of its own where it is given.
  public mutating func tiedLinear(_ name: String, _ x: ValueID, weight: ValueID, bias: ValueID? = nil) -> ValueID {
    add(.linear(hasBias: bias != nil, epilogue: []), [x, weight] + (bias.map { [$0] } ?? []), name: name)
  }

  /// Transformers' `Conv1D`: a linear layer whose weight is [inputs, outputs]; bias [outputs].
  public mutating func transposedLinear(_ name: String, _ x: ValueID, from inputs: Int, to outputs: Int) -> ValueID {
    let weight = ownParameter(
      name + ".weight", [inputs, outputs], initial: .normal(deviation: 1 / Double(inputs).squareRoot()))
    let bias = ownParameter(name + ".bias", [outputs])
    let turned = add(.transpose, [weight], name: name + ".weight")
    return add(.linear(hasBias: true, epilogue: []), [x, turned, bias], name: name)
  }

  /// Columns `range` of x [rows, C].
  public mutating func columns(_ range: Range<Int>, of x: ValueID, name: String) -> ValueID {
    add(.gatherChannels(Array(range)), [x], name: name)
  }

  /// A name under which the original's state dict has a parameter, given by its whole name, a second time.
  public mutating func alias(_ name: String, to parameter: String) { graph.aliases[fullName(name)] = parameter }
}
