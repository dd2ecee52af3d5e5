import ZooGraph

/// Names of a network's parameters in PEFT's files.
struct AdapterNames {
  private let names: Set<String>
  /// By what follows the first dot: `bert.encoder.…` for `encoder.…`.
  private let inner: [Substring: String]

  init(_ graph: Graph) {
    names = Set(graph.parameters.map(\.name))
    inner = Dictionary(names.sorted().map { (Self.inner($0), $0) }) { first, _ in first }
  }

  private static func inner(_ name: String) -> Substring {
    name.firstIndex(of: ".").map { name[name.index(after: $0)...] } ?? Substring(name)
  }

  /// The module whose factors are those of a weight. `nn.MultiheadAttention` is one module of two matrices to PEFT: the
  /// fused projection is its own, the output's stands within its `base_layer`.
  func module(of weight: String) -> String {
    if weight.hasSuffix(".in_proj_weight") { return String(weight.dropLast(15)) }
    let module = weight.hasSuffix(".weight") ? String(weight.dropLast(7)) : weight
    guard module.hasSuffix(".out_proj") else { return module }
    let outer = String(module.dropLast(9))
    return names.contains(outer + ".in_proj_weight") ? outer + ".base_layer.out_proj" : module
  }

  /// The module that PEFT is told to change.
  func target(of weight: String) -> String { module(of: weight).replacing(".base_layer.out_proj", with: "") }

  /// The weight whose factors a module has; nil where the network has no such.
  func weight(of module: String) -> String? {
    parameter(module + ".weight") ?? parameter(module + ".in_proj_weight")
  }

  /// The parameter of that name, whether or not the name of the network within the network stands before it.
  func parameter(_ name: String) -> String? {
    let name = name.replacing(".base_layer", with: "")
    if names.contains(name) { return name }
    let short = String(Self.inner(name))
    return names.contains(short) ? short : inner[Substring(name)]
  }
}
