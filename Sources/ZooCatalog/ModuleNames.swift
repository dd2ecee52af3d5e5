extension NameMap {
  /// The canonical module of each module of this naming: `bn1` for Keras's `conv1_bn`.
  ///
  /// A module has no rule of its own; it is found through the rules of its tensors.
  /// - Returns: canonical module paths by foreign ones; what no rule covers is left out.
  public func canonicalModules(of modules: [String]) -> [String: String] {
    let leaves = Set(rules.compactMap { $0.from.text.split(separator: ".").last.map(String.init) })
      .filter { !$0.contains("{") }.sorted()
    let endings = leaves.isEmpty ? ["weight", "bias"] : leaves + ["weight", "bias"]
    let ranks = ranking(of: modules.map { $0 + "." })
    var result: [String: String] = [:]
    for module in modules {
      let name = ranks[module + "."].map { String($0.dropLast()) } ?? module
      for ending in endings {
        guard let (renamed, _) = renamed(name + "." + ending, .importing) else { continue }
        result[module] = renamed.split(separator: ".").dropLast().joined(separator: ".")
        break
      }
    }
    return result
  }
}
