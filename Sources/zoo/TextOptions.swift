import ArgumentParser
import Foundation
import ZooEngine

/// What text models run on.
struct TextKernelOptions: ParsableArguments {
  @Option(help: "How weights are kept: float32, bfloat16 or int8; less memory for less exact answers.")
  var precision = SequencePrecision.float32
  @Option(help: "Threads to run on; default: one a core.")
  var threads: Int?

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more.") }
  }
}

extension SequencePrecision: ExpressibleByArgument {}

/// `--precision` of commands that take pictures too.
struct PrecisionOption: ParsableArguments {
  @Option(
    name: .customLong("precision"),
    help: "Of text models: how weights are kept, float32, bfloat16 or int8; less memory for less exact answers.")
  var asked: SequencePrecision?

  var forTexts: SequencePrecision { asked ?? .float32 }

  /// - Throws: ``UsageError`` where a network of pictures is to run in another precision.
  func checkForPictures() throws {
    guard let asked, asked != .float32 else { return }
    throw UsageError(
      problem: "--precision \(asked.rawValue) is for text models, and this one reads pictures",
      advice: "leave it out: networks of pictures run in float32")
  }
}

/// Texts as commands take them.
enum TextArguments {
  /// Each argument is a text, - all of standard input.
  static func whole(_ arguments: [String]) throws -> [String] {
    try (arguments.isEmpty ? ["-"] : arguments).map { argument in
      guard argument == "-" else { return argument }
      let data = try FileHandle.standardInput.readToEnd() ?? Data()
      let text = String(decoding: data, as: UTF8.self)
      return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
  }

  /// Each argument is a text, - every line of standard input.
  static func lines(_ arguments: [String]) -> [String] {
    arguments.flatMap { argument in
      guard argument == "-" else { return [argument] }
      var lines: [String] = []
      while let line = readLine() { lines.append(line) }
      return lines
    }
  }
}
