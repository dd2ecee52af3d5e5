import ZooGraph

/// Chooses the weights that changes of low rank are for.
///
/// Usually those are attention's projections (queries, keys, values, fused or not, and the output), as in Hu et al., section
/// 4.2; of a network without attention the 1×1 convolutions and linear layers. A hybrid such as MaxViT counts as one with
/// attention: every stage of it has some, so that changes reach them all. Convolutions over groups or more than one pixel
/// are no matrices and stay as they are.
enum AdaptedWeights {
  /// - Parameter head: names of the newly initialised parameters, which learn themselves.
  /// - Throws: ``TrainingError/noSuchMatrix(pattern:names:)``.
  static func choose(
    from graph: Graph, _ settings: LowRank, head: Set<String>
  ) throws(TrainingError) -> [MatrixWeight] {
    let candidates = graph.matrixWeights.filter { !head.contains($0.name) }
    guard !settings.targets.isEmpty else {
      let projections = graph.attentionProjections
      return projections.isEmpty ? candidates : candidates.filter { projections.contains($0.name) }
    }
    for pattern in settings.targets where !candidates.contains(where: { matches($0.name, pattern) }) {
      throw .noSuchMatrix(pattern: pattern, names: candidates.map(\.name))
    }
    return candidates.filter { weight in settings.targets.contains { matches(weight.name, $0) } }
  }

  /// Patterns are of tensors' names or, as PEFT's `target_modules`, of the last parts of modules' names: `query`.
  private static func matches(_ name: String, _ pattern: String) -> Bool {
    if ParameterGroups.matches(name, pattern) { return true }
    let module = name.hasSuffix(".weight") ? String(name.dropLast(7)) : name
    return module == pattern || module.hasSuffix("." + pattern)
  }
}
