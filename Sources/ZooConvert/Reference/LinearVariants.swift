import ZooCheckpoint
import ZooGraph

extension VariantContext {
  /// Of a linear layer: weight [O, I], bias [O].
  func linearVariants() throws -> [Variant] {
    guard let weight = parameters[1], weight.shape.count == 2 else { return [] }
    var variants: [Variant] = []
    func add(_ kind: KnownCause.Kind, _ words: String, _ changed: FloatTensor?) {
      guard let changed, changed.shape == weight.shape else { return }
      variants.append(Variant(kind: kind, words: words, node: node, replacing: [1: changed]))
    }
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    if let picture = unflattened, picture.count == 4, picture[1...].reduce(1, *) == inputs, picture[2] * picture[3] > 1
    {
      let (channels, height, width) = (picture[1], picture[2], picture[3])
      add(
        .flattenOrder,
        "flatten order: the weight's columns stand as height, width, channels (HWC), this model flattens CHW",
        try weight.laidOut(
          .reshape([outputs, height, width, channels]), .permute([0, 3, 1, 2]), .reshape([outputs, inputs])))
      add(
        .flattenOrder,
        "flatten order: the reference flattens height, width, channels (HWC), the weight's columns were moved to CHW twice",
        try weight.laidOut(
          .reshape([outputs, channels, height, width]), .permute([0, 2, 3, 1]), .reshape([outputs, inputs])))
    }
    if outputs == inputs { add(.transposedWeight, "a transposed weight", try weight.laidOut(.transpose)) }
    add(
      .transposedWeight, "the weight's layout: its values stand as inputs, outputs",
      try weight.laidOut(.reshape([inputs, outputs]), .transpose))
    if case .linear(true, let epilogue) = node.operation {
      var without = changed(.linear(hasBias: false, epilogue: epilogue))
      without.inputs.remove(at: 2)
      variants.append(Variant(kind: .missingBias, words: "bias: the reference adds none", node: without))
    }
    return variants
  }
}
