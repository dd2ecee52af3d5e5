extension Graph {
  /// The most tokens that a sequence may have: those for which position embeddings have rows; nil where positions have no
  /// end.
  public var maximumSequenceLength: Int? {
    let parameters = parametersByValue
    return nodes.compactMap { node in
      guard case .sequence(.embedding(.position(let offset))) = node.operation else { return nil }
      return parameters[node.inputs[1]].map { $0.shape[0] - offset }
    }.min()
  }

  /// Values that follow from what the decoder is given.
  public var decodedValues: Set<ValueID> {
    var decoded: Set<ValueID> = []
    for node in nodes where node.inputs.contains(where: { $0 == decoderInput || decoded.contains($0) }) {
      decoded.insert(node.output)
    }
    return decoded
  }
}
