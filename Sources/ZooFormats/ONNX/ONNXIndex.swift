/// What the sandboxed parser finds in an ONNX file: everything but large data. Floating-point numbers come as their bits.
struct ONNXIndex: Decodable, Sendable {
  struct Model: Decodable {
    let irVersion: Int64
    let producer: String
    let producerVersion: String
    let opsets: [Opset]
    let metadata: [[String]]
    let functions: [Function]
    let graph: Graph
  }

  struct Opset: Decodable {
    let domain: String
    let version: Int
  }

  struct Function: Decodable {
    let name: String
    let domain: String
    let inputs: [String]
    let outputs: [String]
    let opsets: [Opset]
    let attributeNames: [String]
    let attributes: [Attribute]
    let nodes: [Node]
  }

  struct Graph: Decodable {
    let name: String
    let nodes: [Node]
    let initializers: [TensorEntry]
    /// Names of tensors that are given by their non-zero elements.
    let sparse: [String]
    let inputs: [Value]
    let outputs: [Value]
  }

  struct Value: Decodable {
    let name: String
    let dataType: Int?
    let shape: [Int]?
    /// Names of the sizes that are free.
    let axes: [String]?
  }

  struct Node: Decodable {
    let `operator`: String
    let name: String
    let domain: String
    let inputs: [String]
    let outputs: [String]
    let attributes: [Attribute]
  }

  struct Attribute: Decodable {
    let name: String
    let type: Int
    /// The attribute of the surrounding function whose value it takes.
    let reference: String?
    let f: UInt32?
    let i: Int64?
    let s: String?
    let t: TensorEntry?
    let g: Graph?
    let floats: [UInt32]?
    let ints: [Int64]?
    let strings: [String]?
  }

  struct TensorEntry: Decodable {
    let name: String
    let dataType: Int
    let dims: [Int]
    let floats: [UInt32]?
    let int32s: [Int32]?
    let int64s: [Int64]?
    let doubles: [UInt64]?
    let uint64s: [UInt64]?
    let raw: [UInt8]?
    let strings: [String]?
    let payloads: [Payload]?
    let external: [String: String]?
  }

  /// Data that stays in the file: the field of TensorProto that it was, and where it stands.
  struct Payload: Decodable {
    let field: Int
    let offset: Int
    let count: Int
  }
}
