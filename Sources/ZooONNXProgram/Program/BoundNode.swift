import ZooFormats

/// A node as it runs: inside a function, with the attributes of the function's call.
struct BoundNode: Sendable {
  let name: String
  let operatorName: String
  let domain: String
  let outputs: [String]
  let attributes: [String: ONNXModel.Attribute]

  /// - Parameter given: the call's attributes, inside a function. References to those it doesn't give go.
  init(_ node: ONNXModel.Node, _ given: [String: ONNXModel.Attribute]?) {
    name = node.name.isEmpty ? node.outputs.first { !$0.isEmpty } ?? "" : node.name
    operatorName = node.operatorName
    domain = node.domain
    outputs = node.outputs
    guard let given else {
      attributes = node.attributes
      return
    }
    var bound: [String: ONNXModel.Attribute] = [:]
    for (name, attribute) in node.attributes {
      if case .reference(let source) = attribute { bound[name] = given[source] } else { bound[name] = attribute }
    }
    attributes = bound
  }
}
