import ArgumentParser
import Foundation
import ZooCheckpoint
import ZooFormats
import ZooWorker

/// The program. Subcommands throw; only here do errors become a line and an exit code.
@main struct Zoo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "zoo",
    abstract: "A model zoo, weight converter and fine-tuning engine: one native program, no Python.",
    discussion: """
      Say what a weight file is, turn it into one safe checkpoint, run it, and adapt it to pictures of your own:

        zoo list                                   the catalogue
        zoo pull resnet50                          published weights, by name from now on
        zoo convert resnet50.pth                   a weight file to one checkpoint
        zoo predict resnet50 cat.jpg               the five likeliest classes
        zoo finetune --head 3 --data photos/ --model resnet50

      Exit codes: 0 done, 1 a check did not hold, 64 wrong usage, 65 bad data, 66 no such input, 69 unavailable, \
      73 can't create the output, 74 input or output failed, 130 interrupted.
      """,
    version: ZooVersion.current,
    groupedSubcommands: [
      CommandGroup(name: "The catalogue:", subcommands: [ListCommand.self, InfoCommand.self]),
      CommandGroup(name: "The store:", subcommands: [PullCommand.self, RemoveCommand.self]),
      CommandGroup(
        name: "Weight files:",
        subcommands: [
          ConvertCommand.self, IdentifyCommand.self, InspectCommand.self, VerifyCommand.self, DiffCommand.self,
          ExportCommand.self, ScanCommand.self,
        ]),
      CommandGroup(
        name: "Networks:",
        subcommands: [
          PredictCommand.self, EmbedCommand.self, GenerateCommand.self, FinetuneCommand.self, CompareCommand.self,
          EvaluateCommand.self,
        ]),
    ])

  static func main() {
    WorkerMain.runIfAsked(CommandLine.arguments)
    WorkerProgram.useThisProgram()
    Interruption.install()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as any ReportableError {
      finish(error.report)
    } catch let error as any ReportableErrors {
      for report in error.reports.dropLast() { complain(report) }
      if let last = error.reports.last { finish(last) }
    } catch {
      exit(withError: error)
    }
  }

  private static func finish(_ report: ErrorReport) -> Never {
    complain(report)
    Foundation.exit(report.kind.rawValue)
  }

  /// A line on standard error.
  static func complain(_ report: ErrorReport) {
    FileHandle.standardError.write(Data("zoo: \(report.line)\n".utf8))
  }
}

/// Several failures of one command, each with its own line; the last one decides the exit code.
protocol ReportableErrors: Error {
  var reports: [ErrorReport] { get }
}

/// A check that did not hold, after its details went to standard output.
struct CheckFailed: ReportableError {
  let file: String
  let problem: String
  var report: ErrorReport { ErrorReport(.checkFailed, file: file, problem: problem) }
}
