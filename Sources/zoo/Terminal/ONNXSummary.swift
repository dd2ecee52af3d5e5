import ZooFormats

/// What `inspect` tells of an ONNX model beyond its tensors.
struct ONNXSummary: Encodable {
  struct Value: Encodable {
    let name: String
    let dtype: String?
    /// A number, the name of a free size, or `?`.
    let shape: [String]?

    init(_ value: ONNXModel.Value) {
      name = value.name
      dtype = value.dtype?.name
      shape = value.shape?.enumerated().map { index, size in
        guard size < 0 else { return "\(size)" }
        let name = index < value.axes.count ? value.axes[index] : ""
        return name.isEmpty ? "?" : name
      }
    }

    var text: String { "\(name) \(dtype ?? "of another type") [\(shape?.joined(separator: ", ") ?? "…")]" }
  }

  struct Count: Encodable {
    let name: String
    let nodes: Int
  }

  let irVersion: Int
  let producer: String
  /// Version by domain; the standard one is "".
  let opsets: [String: Int]
  let inputs: [Value]
  let outputs: [Value]
  /// The most used first, with their domain where it isn't the standard one.
  let operators: [Count]

  init(_ model: ONNXModel) {
    irVersion = model.irVersion
    producer = model.producer
    opsets = model.opsets
    inputs = model.graph.inputs.map(Value.init)
    outputs = model.graph.outputs.map(Value.init)
    var counts: [String: Int] = [:]
    Self.count(model.graph, into: &counts)
    for function in model.functions {
      for node in function.nodes { Self.count(node, into: &counts) }
    }
    operators = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { Count(name: $0.key, nodes: $0.value) }
  }

  private static func count(_ graph: ONNXModel.Graph, into counts: inout [String: Int]) {
    for node in graph.nodes { count(node, into: &counts) }
  }

  private static func count(_ node: ONNXModel.Node, into counts: inout [String: Int]) {
    counts[node.domain.isEmpty ? node.operatorName : "\(node.domain).\(node.operatorName)", default: 0] += 1
    for case .graph(let inner) in node.attributes.values { count(inner, into: &counts) }
  }

  var lines: [String] {
    let versions = opsets.sorted { $0.key < $1.key }.map { $0.key.isEmpty ? "\($0.value)" : "\($0.key) \($0.value)" }
    let maker = producer.isEmpty ? "" : ", made by \(producer)"
    var lines = ["operator set \(versions.joined(separator: ", ")), IR version \(irVersion)\(maker)"]
    lines += inputs.map { "input   " + $0.text }
    lines += outputs.map { "output  " + $0.text }
    let most = operators.prefix(24).map { "\($0.name) \($0.nodes)" }.joined(separator: ", ")
    lines.append("operators: " + most + (operators.count > 24 ? ", and \(operators.count - 24) others" : ""))
    return lines
  }
}
