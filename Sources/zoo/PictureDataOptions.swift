import ArgumentParser
import ZooCheckpoint
import ZooTraining

/// Flags of what a table says of its pictures.
struct PictureDataOptions: ParsableArguments {
  @Option(
    help: """
      classes: each picture has one; multi-label: any number of labels, in a column labels with | between them, a JSON \
      list, or a column of 0 and 1 for each; regression: numbers. Default: as the table's columns are.
      """)
  var task: ProblemType?
  @Option(
    help: ArgumentHelp(
      "Columns of numbers, or of labels that are 0 or 1, with commas between them; default value or target, and all columns of 0 and 1.",
      valueName: "columns"))
  var targets: String?

  /// - Throws: `UsageError`.
  func columns(label: String?) throws -> PictureColumns {
    let names = (targets ?? "").split(separator: ",").map(String.init)
    if let targets, names.isEmpty {
      throw UsageError(problem: "--targets \(targets): expected names of columns, such as width,height")
    }
    if !names.isEmpty, task == .classes {
      throw UsageError(
        problem:
          "--targets names numbers or labels, --task classes has one column of classes: name it with --label-column")
    }
    return PictureColumns(problem: task, label: label, targets: names)
  }

  /// - Throws: `UsageError` where something is asked for that texts haven't.
  func checkForTexts() throws {
    guard task ?? .classes == .classes, targets == nil else {
      throw UsageError(problem: "labels and numbers are learnt from pictures alone, texts have classes or answers")
    }
  }
}

extension ProblemType: ExpressibleByArgument {}
