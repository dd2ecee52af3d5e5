import ZooCheckpoint

/// What is wrong with an ONNX model whose protobuf could be read.
public struct ONNXError: Error, Sendable, Equatable {
  public enum Fault: Sendable, Equatable {
    case unknownDataType(Int)
    case dataSize(found: Int, needed: Int)
    case severalData
    /// Data in a field that elements of this type don't stand in.
    case wrongField(String, DType)
    case badNumbers
    case external(location: String, problem: String)
    case shape([Int])
    case duplicate
    case noTensors
    case attribute(String)
    case sparse
    /// Elements of external data that two tensors would share.
    case overlap(location: String, other: String)
  }

  public let file: String
  /// The tensor's or node's name.
  public let place: String
  public let fault: Fault
}

extension ONNXError: ReportableError {
  public var report: ErrorReport {
    ErrorReport(.badData, file: file, place: place.isEmpty ? nil : place, problem: problem, advice: advice)
  }

  private var problem: String {
    switch fault {
    case .unknownDataType(let number): "has elements of type \(Self.typeName(number)), which zoo doesn't read"
    case .dataSize(let found, let needed): "has \(found) bytes of data, but its shape needs \(needed)"
    case .severalData: "has its data in several fields at once"
    case .wrongField(let field, let dtype): "has its \(dtype.name) elements in \(field), where none may stand"
    case .badNumbers: "its packed numbers are damaged"
    case .external(let location, let problem): "its data in '\(location)' \(problem)"
    case .shape(let shape): "the shape \(shape) is larger than any memory"
    case .duplicate: "stands in the file twice"
    case .noTensors: "holds no tensors"
    case .attribute(let name): "its attribute \(name) has no value that zoo reads"
    case .sparse: "is a sparse tensor, which zoo doesn't read"
    case .overlap(let location, let other): "its data in '\(location)' overlaps that of \(other)"
    }
  }

  /// Names of TensorProto.DataType (onnx.proto).
  private static func typeName(_ number: Int) -> String {
    let names = [
      8: "string", 14: "complex64", 15: "complex128", 18: "float8_e4m3fnuz", 20: "float8_e5m2fnuz", 24: "float8_e8m0",
      25: "uint2", 26: "int2",
    ]
    return names[number] ?? "\(number), which ONNX doesn't know"
  }

  private var advice: String? {
    switch fault {
    case .unknownDataType: "export the model again in float32, float16 or bfloat16"
    case .sparse: "export the model again with dense tensors"
    case .attribute: "export the model again"
    case .external: "external data must be a plain file beside the model, as onnx.save writes it"
    case .noTensors: "check that it is a model with weights"
    default: "the file is damaged; export it again"
    }
  }
}
