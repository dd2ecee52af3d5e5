import ZooCheckpoint
import ZooFormats

/// What a network gave in its own framework: `R.npz` of the lines that `zoo verify --how` prints.
public struct Recording: Sendable {
  /// One layer's output, as the framework laid it out.
  struct Entry {
    /// As the framework calls the layer.
    let layer: String
    /// How often the layer had run before.
    let call: Int
    let tensor: Tensor
  }
  let path: String
  let framework: RecordingFramework?
  let input: Tensor
  let output: Tensor?
  let entries: [Entry]

  /// - Throws: ``ReferenceError``, and what opening the file throws.
  public init(path: String) throws {
    let file = try WeightFile.open(path: path)
    guard let input = file.stateDict["input"] else {
      throw ReferenceError.noInput(file: path, names: Array(file.stateDict.names.prefix(4)))
    }
    var entries: [Entry] = []
    var framework: RecordingFramework?
    for (name, tensor) in file.stateDict.tensors where name != "input" && name != "output" {
      var layer = name[...]
      if let colon = name.firstIndex(of: ":"), let known = RecordingFramework(rawValue: String(name[..<colon])) {
        framework = known
        layer = name[name.index(after: colon)...]
      }
      var call = 0
      if let mark = layer.lastIndex(of: "#"), let number = Int(layer[layer.index(after: mark)...]), number > 0 {
        call = number
        layer = layer[..<mark]
      }
      entries.append(Entry(layer: String(layer), call: call, tensor: tensor))
    }
    self.path = path
    self.framework = framework
    self.input = input
    output = file.stateDict["output"]
    self.entries = entries
  }

  /// The layers' names as paths of modules: `layer1.0.conv1` for `|layer1|layer1.0|conv1|Conv_output_0` of an ONNX
  /// graph that torch exported.
  static func modulePath(_ layer: String) -> String {
    guard layer.hasPrefix("|") else { return layer }
    var path: [Substring] = []
    for part in layer.split(separator: "|").dropLast() {
      if let last = path.last, part.hasPrefix(last + ".") { path.removeLast() }
      path.append(part)
    }
    return path.joined(separator: ".")
  }
}

/// Why a recording can't be held against a model.
public enum ReferenceError: Error, Sendable, Equatable {
  case noInput(file: String, names: [String])
  case inputShape(file: String, expected: [Int], found: [Int])
  /// No layer of the recording has a name or a place in the model.
  case nothingToCompare(file: String, layers: [String])
  case unknownFramework(name: String)
}

extension ReferenceError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .noInput(let file, let names):
      ErrorReport(
        .badData, file: file, problem: "has no tensor called input, found \(names.joined(separator: ", "))",
        advice: "record it with the lines that zoo verify --how prints")
    case .inputShape(let file, let expected, let found):
      ErrorReport(
        .badData, file: file, place: "input",
        problem: "expected a batch of shape [N, \(expected.map(String.init).joined(separator: ", "))], found \(found)")
    case .nothingToCompare(let file, let layers):
      ErrorReport(
        .badData, file: file, problem: "names no layer of the model, found \(layers.joined(separator: ", "))",
        advice: "record it with the lines that zoo verify --how prints")
    case .unknownFramework(let name):
      ErrorReport(
        .usage, problem: "no lines for '\(name)'",
        advice: "give one of \(RecordingFramework.allCases.map(\.rawValue).joined(separator: ", "))")
    }
  }
}
