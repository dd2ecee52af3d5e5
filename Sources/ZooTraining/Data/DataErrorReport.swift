import ZooCheckpoint

extension DataError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .notFolder(let folder):
      ErrorReport(
        .noInput, file: folder, problem: "is not a folder",
        advice: "name a folder that holds one folder of pictures a class")
    case .noClasses(let folder):
      ErrorReport(
        .badData, file: folder, problem: "holds no class folders",
        advice: "make one folder of pictures a class, at least two")
    case .oneClass(let folder, let name):
      ErrorReport(
        .badData, file: folder, problem: "holds one class only, '\(name)'", advice: "a classifier needs at least two")
    case .emptyClass(let folder, let name):
      ErrorReport(
        .badData, file: folder, problem: "class '\(name)' has no pictures", advice: "add some, or remove its folder")
    case .brokenClass(let folder, let name, let pictures, let reason):
      ErrorReport(
        .badData, file: folder, problem: "none of the \(pictures) pictures of class '\(name)' can be read (\(reason))",
        advice: "replace them")
    case .unknownClass(let folder, let name, let known):
      ErrorReport(
        .badData, file: folder, problem: "class '\(name)' is not one of \(Self.list(known))",
        advice: "name the folders as the classes that the network or the training folder has")
    case .noValidation(let folder):
      ErrorReport(
        .badData, file: folder, problem: "leaves nothing for validation", advice: "put at least two in a class")
    case .noTexts(let folder):
      ErrorReport(
        .noInput, file: folder, problem: "holds no train.csv, train.tsv, train.jsonl or train.txt",
        advice: "name a file of texts, or a folder with train and val files")
    case .neverLearnt(let folder, let names):
      ErrorReport(
        .badData, file: folder,
        problem: "no training picture has \(names.count == 1 ? "the class" : "the classes") \(Self.list(names))",
        advice: "put some into the training part, or leave these out")
    case .nothingToLearn(let folder, let reason):
      ErrorReport(
        .badData, file: folder, problem: "no training picture can be read (\(reason))", advice: "replace them")
    case .noLabels(let folder):
      ErrorReport(
        .badData, file: folder, problem: "no picture has a label", advice: "name labels, with | between several")
    case .notNumber(let file, let line, let column, let value, let expected):
      ErrorReport(
        .badData, file: file, place: "line \(line)", problem: "\(column) '\(value)' is not \(expected)",
        advice: "correct the field, or name other columns with --targets")
    case .constantValue(let folder, let column):
      ErrorReport(
        .badData, file: folder, problem: "\(column) is the same for all training pictures",
        advice: "there is nothing to learn from it: leave it out")
    case .foldersOfClasses(let folder, let problem):
      ErrorReport(
        .usage, file: folder,
        problem: "--task \(problem.rawValue) needs a table, class folders give each picture one class",
        advice: "name a .csv, .tsv or .jsonl file, or put a metadata.jsonl into the folder")
    case .unknownPart(let file, let line, let part):
      ErrorReport(
        .badData, file: file, place: "line \(line)", problem: "split '\(part)' is none of train, validation and test")
    case .notInSplit(let file, let name):
      ErrorReport(
        .badData, file: file, problem: "doesn't say which part '\(name)' belongs to",
        advice: "add a line for it, with train, validation or test in the column split")
    case .headTooSmall(let asked):
      ErrorReport(.usage, problem: "--head \(asked): a softmax layer needs at least 2 classes")
    case .headDisagrees(let asked, let folder, let labels):
      ErrorReport(
        .usage, file: folder,
        problem: "--head \(asked), but the data has \(labels.count) classes: \(Self.list(labels))",
        advice: "use --head \(labels.count), or leave --head out")
    }
  }

  private static func list(_ names: [String]) -> String {
    names.count <= 12
      ? names.joined(separator: ", ") : names.prefix(10).joined(separator: ", ") + " and \(names.count - 10) more"
  }
}
