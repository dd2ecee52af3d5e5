extension NameMap {
  /// The canonical module of each module of this naming: `bn1` for Keras's `conv1_bn`.
  ///
  /// A module has no rule of its own; it is found through the rules of its tensors.
  /// - Returns: canonical module paths by foreign ones; what no rule covers is left out.
  public func canonicalModules(of modules: [String]) -> [String: String] {
    let endings = Set(rules.flatMap(Self.endings)).sorted() + ["weight", "bias"]
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

  /// What stands behind the last dot of the names that a rule takes.
  private static func endings(of rule: Rule) -> [String] {
    guard let leaf = rule.from.text.split(separator: ".").last else { return [] }
    guard leaf.contains("{") else { return [String(leaf)] }
    // `{leaf:statistic}` alone, which a table spells out.
    guard leaf.hasPrefix("{"), case .capture(let name, _)? = rule.from.pieces.last,
      case .lookup(let rows)? = rule.kinds[name]
    else { return [] }
    return rows.map(\.source)
  }
}
