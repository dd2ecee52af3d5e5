import ZooCheckpoint

extension AdapterError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .missing(let folder, let file):
      ErrorReport(
        .noInput, file: folder, problem: "holds no \(file)",
        advice: "an adapter is a folder with adapter_config.json and adapter_model.safetensors, as PEFT saves it")
    case .badConfig(let file, let problem):
      ErrorReport(.badData, file: file, problem: problem, advice: "it must be the adapter_config.json that PEFT saves")
    case .unsupported(let file, let field, let value, let expected):
      ErrorReport(
        .badData, file: file, place: field, problem: "is \(value), expected \(expected)",
        advice: "merge it with PEFT's merge_and_unload and convert the result")
    case .noSuchParameter(let file, let tensor, let model):
      ErrorReport(
        .badData, file: file, place: tensor, problem: "\(model) has no such parameter",
        advice: "name the model that the adapter was trained on")
    case .shape(let file, let tensor, let expected, let found):
      ErrorReport(
        .badData, file: file, place: tensor, problem: "expected shape \(expected), found \(found)",
        advice: "name the model that the adapter was trained on")
    case .rank(let file, let tensor, let stated, let found):
      ErrorReport(.badData, file: file, place: tensor, problem: "has rank \(found), adapter_config.json says \(stated)")
    case .lonelyFactor(let file, let tensor, let missing):
      ErrorReport(.badData, file: file, place: tensor, problem: "stands alone, \(missing) is missing")
    case .noFactors(let file):
      ErrorReport(.badData, file: file, problem: "holds no lora_A and lora_B")
    case .otherBase(let file, let model, let what, let expected, let found):
      ErrorReport(
        .badData, file: file, problem: "was trained on \(what) \(expected), \(model) has \(found)",
        advice: "name the model that the adapter was trained on")
    case .missingParameter(let file, let model, let name):
      ErrorReport(
        .badData, file: file, place: name, problem: "is neither in the adapter nor in \(model)",
        advice: "name the model that the adapter was trained on")
    }
  }
}
