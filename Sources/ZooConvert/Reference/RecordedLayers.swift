import ZooCatalog
import ZooGraph

/// Which recorded layer is which node of the model.
struct RecordedLayers {
  struct Pair {
    let entry: Recording.Entry
    /// Index of the node.
    let node: Int
  }
  private(set) var pairs: [Pair] = []
  private(set) var unmatched: [String] = []

  /// Names are taken as they are, as paths that an ONNX export spells, and through the family's name maps, whichever
  /// finds most.
  init(_ recording: Recording, graph: Graph, catalog: Catalog, family: String) {
    let names = recording.entries.map { Recording.modulePath($0.layer) }
    var nodes: [String: [Int]] = [:]
    for (index, node) in graph.nodes.enumerated() { nodes[node.name, default: []].append(index) }
    var best = names
    var found = Self.matches(names, nodes)
    for map in catalog.nameMaps where map.family == family {
      let modules = map.canonicalModules(of: names)
      let renamed = names.map { modules[$0] ?? "" }
      let count = Self.matches(renamed, nodes)
      if count > found { (best, found) = (renamed, count) }
    }
    for (entry, name) in zip(recording.entries, best) {
      let (module, call) = Self.split(name, entry.call, nodes)
      if let places = nodes[module], call < places.count {
        pairs.append(Pair(entry: entry, node: places[call]))
      } else {
        unmatched.append(entry.layer)
      }
    }
    if let output = recording.output, let last = graph.nodes.lastIndex(where: { graph.outputs.contains($0.output) }) {
      pairs.append(Pair(entry: .init(layer: "output", call: 0, tensor: output), node: last))
    }
  }

  private static func matches(_ names: [String], _ nodes: [String: [Int]]) -> Int {
    names.count { nodes[split($0, 0, nodes).module] != nil }
  }

  /// An ONNX export calls a module's later runs `relu_1`, `relu_2`.
  private static func split(_ name: String, _ call: Int, _ nodes: [String: [Int]]) -> (module: String, call: Int) {
    guard nodes[name] == nil, let underscore = name.lastIndex(of: "_"),
      let number = Int(name[name.index(after: underscore)...]), number > 0
    else { return (name, call) }
    let module = String(name[..<underscore])
    return nodes[module] == nil ? (name, call) : (module, number)
  }
}
