extension NameMap {
  /// The names that the rules are written for, by the names in a file; only those that differ.
  ///
  /// Numbers that depend on what else the session built (`conv2d_95`) count anew from 0 in their order; layers that a
  /// Keras 3 file counts instead of naming them (`layers.conv2d_3`) get their names.
  func ranking(of names: some Sequence<String>) -> [String: String] {
    var result = named(names)
    guard !ranked.isEmpty else { return result }
    var numbers: [String: Set<Int>] = [:]
    let parts = names.compactMap { name in split(name).map { (name, $0) } }
    for (_, part) in parts { numbers[part.kind, default: []].insert(part.number) }
    let ranks = numbers.mapValues { numbers in
      Dictionary(uniqueKeysWithValues: numbers.sorted().enumerated().map { ($1, $0) })
    }
    for (name, part) in parts {
      guard let rank = ranks[part.kind]?[part.number] else { continue }
      result[name] = "\(part.kind)_\(rank)\(part.rest)"
    }
    return result
  }

  private func named(_ names: some Sequence<String>) -> [String: String] {
    var result: [String: String] = [:]
    for name in names where !counted.isEmpty && name.hasPrefix("layers.") {
      guard let dot = name.lastIndex(of: "."), let layer = counted[String(name[..<dot])] else { continue }
      result[name] = layer + name[dot...]
    }
    return result
  }

  /// `conv2d_7.kernel` as conv2d, 7, `.kernel`; the first has no number and counts as 0.
  private func split(_ name: String) -> (kind: String, number: Int, rest: Substring)? {
    let first = name.prefix { $0 != "." }
    let rest = name[first.endIndex...]
    if ranked.contains(String(first)) { return (String(first), 0, rest) }
    guard let underscore = first.lastIndex(of: "_"), let number = Int(first[first.index(after: underscore)...]),
      number >= 0, ranked.contains(String(first[..<underscore]))
    else { return nil }
    return (String(first[..<underscore]), number, rest)
  }
}
