import Foundation
import TestSupport
import Testing

/// The built program, run as a user would.
struct Program {
  struct Outcome {
    let code: Int32
    let output: String
    let errors: String
    /// What went to standard error, a line each.
    var complaints: [Substring] { errors.split(separator: "\n") }
  }

  /// Beside the tests in the build folder, which is the main bundle or holds it.
  static var path: String {
    let bundle = URL(filePath: Bundle.main.bundlePath)
    let candidates = [bundle, bundle.deletingLastPathComponent()].map { $0.appending(path: "zoo").path }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[0]
  }

  /// - Parameters:
  ///   - shell: what a shell does before it becomes the program, such as `ulimit -f 8`.
  ///   - input: a file to read as standard input.
  ///   - interruptWhen: once true, the program gets `signal`, which is Ctrl-C unless said otherwise.
  static func run(
    _ arguments: [String], in folder: String, environment: [String: String] = [:], shell: String? = nil,
    input: String? = nil, signal: Int32 = SIGINT, interruptWhen: (() -> Bool)? = nil
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: shell == nil ? path : "/bin/sh")
    process.arguments = shell.map { ["-c", "\($0); exec \"$0\" \"$@\"", path] + arguments } ?? arguments
    process.currentDirectoryURL = URL(filePath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["XDG_CACHE_HOME": folder + "/cache", "ZOO_HOME": folder + "/store"]) { $1 }
      .merging(environment) { $1 }
    let name = UUID().uuidString
    let (output, errors) = (folder + "/.\(name).out", folder + "/.\(name).err")
    for file in [output, errors] { try Data().write(to: URL(filePath: file)) }
    process.standardInput = input.flatMap { FileHandle(forReadingAtPath: $0) } ?? FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
    if let interruptWhen {
      while process.isRunning, !interruptWhen() { usleep(2000) }
      kill(process.processIdentifier, signal)
    }
    process.waitUntilExit()
    defer { for file in [output, errors] { unlink(file) } }
    return Outcome(
      code: process.terminationStatus, output: try String(contentsOfFile: output, encoding: .utf8),
      errors: try String(contentsOfFile: errors, encoding: .utf8))
  }
}

/// A fresh folder for one test, and the program run in it.
struct Workplace {
  let directory: TemporaryDirectory

  static func with(_ body: (Workplace) throws -> Void) throws {
    let place = Workplace(directory: try TemporaryDirectory())
    defer { place.directory.remove() }
    try body(place)
  }

  func zoo(_ arguments: String..., interruptWhen: (() -> Bool)? = nil) throws -> Program.Outcome {
    try Program.run(arguments, in: directory.path, interruptWhen: interruptWhen)
  }

  func write(_ data: Data, to name: String) throws { try data.write(to: URL(filePath: directory.file(name))) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: directory.file(name)) }

  /// Names of the files that are there, those of the tests' own left out.
  var files: [String] { files(in: "") }

  func files(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory.file(folder))) ?? [])
      .filter { !$0.hasSuffix(".out") && !$0.hasSuffix(".err") }.sorted()
  }
}
