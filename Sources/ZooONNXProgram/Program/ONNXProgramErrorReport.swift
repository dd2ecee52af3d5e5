import ZooCheckpoint

extension ONNXProgramError: ReportableError {
  public var report: ErrorReport {
    let place = [operatorName, node.map { "'\($0)'" }].compactMap { $0 }.joined(separator: " ")
    return ErrorReport(.badData, place: place.isEmpty ? nil : "node \(place)", problem: problem, advice: advice)
  }

  private var problem: String {
    switch fault {
    case .unsupported(let operators):
      "zoo has no kernel for " + operators.map(Self.name).joined(separator: ", ")
    case .missingValue(let name): "reads '\(name)', which nothing makes"
    case .usedBeforeMade(let name): "reads '\(name)', which is made only later, or from the result itself"
    case .madeTwice(let name): "makes '\(name)', which another node makes already"
    case .missingInput(let position): "lacks its input \(position + 1)"
    case .missingGraphInput(let name): "no value was given for the model's input '\(name)'"
    case .missingAttribute(let name): "lacks its attribute \(name)"
    case .badAttribute(let name, let found): "can't use its attribute \(name): \(found)"
    case .nestedTooDeep(let limit): "has functions or bodies nested deeper than \(limit)"
    case .tooManyNodes(let limit): "has more than \(limit) nodes once its functions are written out"
    case .tooLarge(let shape, let limit): "would make a value of shape \(shape), beyond the limit of \(limit) bytes"
    case .tooMuchMemory(let bytes, let limit): "would need \(bytes) bytes at once, beyond the limit of \(limit)"
    case .tooManySteps(let limit): "takes more than \(limit) steps"
    case .dtype(let found, let needed): "got \(found?.name ?? "no tensor"), but takes \(needed)"
    case .notTensor: "got a sequence where a tensor is needed"
    case .notSequence: "got a tensor where a sequence is needed"
    case .rank(let found, let needed): "got \(found) axes, but needs \(needed)"
    case .axis(let axis, let rank): "names axis \(axis) of a tensor with \(rank) axes"
    case .index(let index, let size): "has index \(index) into \(size) places"
    case .shapesDiffer(let first, let second): "can't bring shapes \(first) and \(second) together"
    case .count(let found, let needed): "got \(found) numbers where \(needed) are needed"
    case .size(let found, let needed): "got size \(found), but needs \(needed)"
    case .divisionByZero: "divides an integer by zero"
    case .empty: "got nothing to choose from"
    case .equation(let text): "can't read the equation '\(text)'"
    case .kernel(let words): "oneDNN: \(words)"
    }
  }

  private var advice: String? {
    switch fault {
    case .unsupported: "export the model with the standard operators of opset 7 to 22"
    case .tooLarge, .tooMuchMemory, .tooManySteps: "raise the limit if you trust the model"
    case .missingValue, .usedBeforeMade, .madeTwice, .nestedTooDeep, .tooManyNodes:
      "the file is damaged; export it again"
    default: nil
    }
  }

  private static func name(_ found: UnsupportedOperator) -> String {
    (found.domain.isEmpty ? "" : found.domain + ".") + "\(found.name) (opset \(found.opset))"
  }
}
