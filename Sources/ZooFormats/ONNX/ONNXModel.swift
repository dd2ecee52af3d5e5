import ZooCheckpoint

/// An ONNX model as its file gives it: nodes, values by name, and tensors that stay in the mapped file.
public struct ONNXModel: Sendable {
  public struct Node: Sendable {
    public let name: String
    public let operatorName: String
    public let domain: String
    /// Names of values; an empty name is an input left out.
    public let inputs: [String]
    public let outputs: [String]
    public let attributes: [String: Attribute]

    package init(
      name: String, operatorName: String, domain: String, inputs: [String], outputs: [String],
      attributes: [String: Attribute]
    ) {
      self.name = name
      self.operatorName = operatorName
      self.domain = domain
      self.inputs = inputs
      self.outputs = outputs
      self.attributes = attributes
    }
  }

  public indirect enum Attribute: Sendable {
    case integer(Int64)
    case float(Float)
    case string(String)
    case integers([Int64])
    case floats([Float])
    case strings([String])
    case tensor(Tensor)
    case graph(Graph)
    /// Inside a function: the value of the function's attribute of that name.
    case reference(String)
  }

  /// A value that enters or leaves a graph; a size of -1 is free.
  public struct Value: Sendable {
    public let name: String
    public let shape: [Int]?
    /// Names of the free sizes, `batch`; empty text where a size is fixed or has no name.
    public let axes: [String]
    public let dtype: DType?
  }

  public struct Graph: Sendable {
    public let name: String
    public let nodes: [Node]
    /// Tensors by the name of their value, in the file's order.
    public let initializers: StateDict
    public let inputs: [Value]
    public let outputs: [Value]
  }

  /// An operator that the model defines by others.
  public struct Function: Sendable {
    public let name: String
    public let domain: String
    public let inputs: [String]
    public let outputs: [String]
    /// Attributes that a call must give, and those that it may, with their values.
    public let attributeNames: [String]
    public let attributes: [String: Attribute]
    public let nodes: [Node]
    public let opsets: [String: Int]

    /// One node as a function of its inputs.
    package init(_ node: Node, opsets: [String: Int]) {
      name = node.operatorName
      domain = node.domain
      inputs = node.inputs.filter { !$0.isEmpty }
      outputs = node.outputs
      attributeNames = []
      attributes = [:]
      nodes = [node]
      self.opsets = opsets
    }

    init(
      name: String, domain: String, inputs: [String], outputs: [String], attributeNames: [String],
      attributes: [String: Attribute], nodes: [Node], opsets: [String: Int]
    ) {
      self.name = name
      self.domain = domain
      self.inputs = inputs
      self.outputs = outputs
      self.attributeNames = attributeNames
      self.attributes = attributes
      self.nodes = nodes
      self.opsets = opsets
    }
  }

  public let irVersion: Int
  public let producer: String
  /// Version of each operator set by its domain; the standard one is "".
  public let opsets: [String: Int]
  public let metadata: [String: String]
  public let functions: [Function]
  public let graph: Graph
}
