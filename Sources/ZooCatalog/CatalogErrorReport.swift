import ZooCheckpoint

extension CatalogError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .unknownModel(let name, let nearest):
      ErrorReport(
        .noInput, problem: "no model is called '\(name)'",
        advice: nearest.isEmpty
          ? "`zoo list` names them all" : "did you mean \(nearest.joined(separator: " or "))?")
    case .noWeights(let model):
      ErrorReport(
        .noInput, problem: "nobody publishes weights for \(model)",
        advice: "convert a file of your own: zoo convert FILE")
    case .unknownWeights(let model, let id, let known):
      ErrorReport(
        .noInput, problem: "\(model) has no weights '\(id)'",
        advice: known.isEmpty ? "nobody publishes any" : "there are \(known.joined(separator: ", "))")
    case .notInStore(let name, let installed):
      ErrorReport(
        .noInput, problem: "\(name) is not in the store",
        advice: installed.isEmpty ? "nothing is" : "there are \(installed.joined(separator: ", "))")
    case .badStoreName(let name):
      ErrorReport(
        .badData, problem: "'\(name)' can't be the name of a file", advice: "give it another in the catalogue")
    case .noMatch(let pattern, let task, let tasks):
      ErrorReport(
        .noInput,
        problem: "no model matches "
          + [pattern.map { "'\($0)'" }, task.map { "task \($0)" }]
          .compactMap(\.self).joined(separator: " and "),
        advice: task.map(tasks.contains) == false
          ? "tasks are \(tasks.joined(separator: ", "))" : "`zoo list` names them all")
    case .badFile(let file, let problem):
      ErrorReport(.badData, file: file, problem: problem)
    case .noCatalog(let folder):
      ErrorReport(
        .noInput, file: folder, problem: "holds no catalogue",
        advice: "name a folder that has zoo, converters or checksums in it")
    case .badDescription(let problem):
      ErrorReport(.badData, place: "zoo.config", problem: problem)
    case .nameCollision(let map, let name, let first, let second):
      ErrorReport(
        .badData, file: map, problem: "'\(first)' and '\(second)' would both become '\(name)'")
    case .badTransform(let map, let tensor, let transform, let shape):
      ErrorReport(.badData, file: map, place: tensor, problem: "\(transform) doesn't fit shape \(shape)")
    case .notConstant(let map, let tensor, let value):
      ErrorReport(
        .badData, file: map, place: "tensor \(tensor)",
        problem: "is not \(value) all over, and the naming has no place for anything else",
        advice: "training changed it; export to another format")
    case .untied(let alias, let name):
      ErrorReport(
        .badData, place: "tensor \(alias)", problem: "is \(name) in the network, and has other values in the file",
        advice: "training untied them: the model has no place for both")
    case .notInvertible(let map, let rule):
      ErrorReport(.badData, file: map, place: rule, problem: "this rule works one way only")
    }
  }
}
