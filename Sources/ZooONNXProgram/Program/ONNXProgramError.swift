import ZooCheckpoint

/// Why an ONNX model can't be run, or a run ended early.
public struct ONNXProgramError: Error, Sendable, Equatable {
  public enum Fault: Sendable, Equatable {
    /// Operators that no kernel stands for, all of the model's at once.
    case unsupported([UnsupportedOperator])
    case missingValue(String)
    case usedBeforeMade(String)
    case madeTwice(String)
    case missingInput(position: Int)
    case missingGraphInput(String)
    case missingAttribute(String)
    case badAttribute(String, found: String)
    case nestedTooDeep(limit: Int)
    case tooManyNodes(limit: Int)
    case tooLarge(shape: [Int], limit: Int)
    case tooMuchMemory(bytes: Int, limit: Int)
    case tooManySteps(limit: Int)
    case dtype(found: DType?, needed: String)
    case notTensor
    case notSequence
    case rank(found: Int, needed: String)
    case axis(Int, rank: Int)
    case index(Int, size: Int)
    case shapesDiffer([Int], [Int])
    case count(found: Int, needed: Int)
    case size(found: Int, needed: String)
    case divisionByZero
    case empty
    case equation(String)
    case kernel(String)
  }

  public struct UnsupportedOperator: Sendable, Hashable {
    public let domain: String
    public let name: String
    /// The operator set's version in the model.
    public let opset: Int
  }

  /// The node, where it is known: its name or its first output's.
  public var node: String?
  public var operatorName: String?
  public let fault: Fault

  public init(_ fault: Fault, node: String? = nil, operatorName: String? = nil) {
    self.fault = fault
    self.node = node
    self.operatorName = operatorName
  }
}
