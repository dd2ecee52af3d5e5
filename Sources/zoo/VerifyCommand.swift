import ArgumentParser
import ZooCheckpoint
import ZooConvert

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Re-check a weight file: digests, finiteness, the fit to its model.",
    discussion: "Ends with exit code 1 where a check does not hold.")

  @Argument(help: "The weight file.", completion: .file())
  var file: String
  @OptionGroup var display: DisplayOptions

  func run() throws {
    let verification = try Verification(path: display.local(file), catalog: display.catalog())
    if display.json {
      print(jsonLine(verification))
    } else if !display.quiet {
      for check in verification.checks {
        let mark = check.holds ? Terminal.green("ok    ") : Terminal.red("FAILED")
        print(
          "\(mark)  \(check.name.padding(toLength: 8, withPad: " ", startingAt: 0))\(check.detail.escapingControlCharacters())"
        )
      }
    }
    let failed = verification.checks.filter { !$0.holds }.map(\.name)
    if !failed.isEmpty { throw CheckFailed(file: file, problem: "does not hold: " + failed.joined(separator: ", ")) }
  }
}

import Foundation
