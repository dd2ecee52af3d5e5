import ZooCheckpoint
import ZooGraph

/// A state dict's shapes under the names that a map gives them.
struct ForeignShapes {
  /// Canonical name to shape and the name in the file; shape nil where the map's transform doesn't fit.
  private(set) var byName: [String: (shape: [Int]?, source: String)] = [:]
  /// Canonical names in the order of the file.
  private(set) var names: [String] = []
  /// Tensors that the map gives another name.
  private(set) var renamed = 0
  /// Buffers that it takes no notice of.
  private(set) var leftOut = 0

  init(_ stateDict: StateDict, map: NameMap? = nil) {
    byName.reserveCapacity(stateDict.count)
    let ranks = map?.ranking(of: stateDict.names) ?? [:]
    var parts: [String: [Int: [Int]]] = [:]
    var counts: [String: Int] = [:]
    for (source, tensor) in stateDict.tensors {
      var name = source
      var shape: [Int]? = tensor.shape
      if map?.derives(source) == true {
        leftOut += 1
        continue
      }
      if let map, let (target, rule) = map.renamed(ranks[source] ?? source, .importing) {
        name = target
        shape = map.importedShape(tensor.shape, rule: rule)
        if target != source { renamed += 1 }
        if let part = map.rules[rule].part {
          if part.isOfSource {
            addShares(of: tensor.shape, named: ranks[source] ?? source, source, map, count: part.count)
            continue
          }
          parts[target, default: [:]][part.index] = shape
          counts[target] = part.count
          guard let known = parts[target], known.count == part.count else { continue }
          shape = Self.joined(known.values.map { $0 })
        }
      }
      names.append(name)
      byName[name] = (shape, source)
    }
    for (target, known) in parts where byName[target] == nil && map?.isZeroInParts(target) == true {
      guard let shape = known.values.first, let count = counts[target] else { continue }
      names.append(target)
      byName[target] = (Self.joined([[Int]](repeating: shape, count: count)), target)
    }
  }
}

extension ForeignShapes {
  /// What the file has for a parameter under another of its names alone.
  func alias(of name: String, in graph: Graph) -> (shape: [Int]?, source: String)? {
    graph.aliases.filter { $0.value == name }.keys.sorted().compactMap { byName[$0] }.first
  }

  /// Our tensors that one of the file's has one after another.
  private mutating func addShares(of shape: [Int], named name: String, _ source: String, _ map: NameMap, count: Int) {
    for index in 0..<count {
      guard let (target, rule) = map.renamed(name, .importing, part: index) else { continue }
      var share: [Int]?
      if let rows = shape.first, rows % count == 0 { share = [rows / count] + shape.dropFirst() }
      names.append(target)
      byName[target] = (share.flatMap { map.importedShape($0, rule: rule) }, source)
    }
  }

  /// The shape of parts one after another; nil where they don't fit together.
  fileprivate static func joined(_ parts: [[Int]]) -> [Int]? {
    guard let first = parts.first, !first.isEmpty, parts.allSatisfy({ $0 == first }) else { return nil }
    let (rows, overflowed) = first[0].multipliedReportingOverflow(by: parts.count)
    return overflowed ? nil : [rows] + first.dropFirst()
  }
}
