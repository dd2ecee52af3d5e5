extension NameMap {
  /// Names whose numbers depend on what else the session built (`conv2d_95`), numbered anew from 0 in their order.
  ///
  /// Returns new names by old ones; only those that change.
  func ranking(of names: some Sequence<String>) -> [String: String] {
    guard !ranked.isEmpty else { return [:] }
    var numbers: [String: Set<Int>] = [:]
    let parts = names.compactMap { name in split(name).map { (name, $0) } }
    for (_, part) in parts { numbers[part.kind, default: []].insert(part.number) }
    let ranks = numbers.mapValues { numbers in
      Dictionary(uniqueKeysWithValues: numbers.sorted().enumerated().map { ($1, $0) })
    }
    var result: [String: String] = [:]
    for (name, part) in parts {
      guard let rank = ranks[part.kind]?[part.number] else { continue }
      result[name] = "\(part.kind)_\(rank)\(part.rest)"
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
