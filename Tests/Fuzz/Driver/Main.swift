import CFuzzer
import Foundation
import FuzzTargets

/// `zoo-fuzz TARGET [libFuzzer's options and corpus folders]`, or `zoo-fuzz --seeds FOLDER` to write the seeds there.
///
/// libFuzzer starts the program again with its own options alone (`-fork=1`), so the target is in the environment too.
@main struct Main {
  static func main() throws {
    let arguments = CommandLine.arguments
    if arguments.count == 3, arguments[1] == "--seeds" { return try writeSeeds(arguments[2]) }
    let inherited = ProcessInfo.processInfo.environment[variable].flatMap(FuzzTarget.init)
    guard arguments.count > 1, let target = inherited ?? FuzzTarget(rawValue: arguments[1]) else {
      print(FuzzTarget.allCases.map(\.rawValue).joined(separator: "\n"))
      exit(arguments.count == 1 ? 0 : 64)
    }
    chosen = target
    setenv(variable, target.rawValue, 1)
    atexit {
      for (signal, count) in FuzzTarget.parserDeaths { print("stat::parser_deaths_by_signal_\(signal): \(count)") }
    }
    let options = [arguments[0]] + arguments.dropFirst(inherited == nil ? 2 : 1)
    var count = Int32(options.count)
    var values: [UnsafeMutablePointer<CChar>?] = options.map { strdup($0) } + [nil]
    let status = values.withUnsafeMutableBufferPointer { buffer in
      var base = buffer.baseAddress
      return LLVMFuzzerRunDriver(&count, &base) { bytes, size in
        Main.feed(UnsafeRawBufferPointer(start: bytes, count: size))
        return 0
      }
    }
    exit(status)
  }

  private static let variable = "ZOO_FUZZ_TARGET"

  /// Set before the driver starts, only read after.
  nonisolated(unsafe) static var chosen = FuzzTarget.pickle

  nonisolated(unsafe) private static var kept = 0

  /// Runs the target; inputs that ended a parser are kept in the folder `ZOO_FUZZ_DEATHS`, a thousand at most.
  private static func feed(_ input: UnsafeRawBufferPointer) {
    let before = FuzzTarget.parserDeaths
    chosen.run(input)
    guard kept < 1000, FuzzTarget.parserDeaths != before, let folder = getenv("ZOO_FUZZ_DEATHS") else { return }
    kept += 1
    try? Data(input).write(to: URL(filePath: String(cString: folder)).appending(path: "death-\(kept)"))
  }

  private static func writeSeeds(_ folder: String) throws {
    for target in FuzzTarget.allCases {
      let place = URL(filePath: folder).appending(path: target.rawValue)
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      for (name, bytes) in Seeds.inputs(for: target) + Seeds.regressions(of: target) {
        try Data(bytes).write(to: place.appending(path: name))
      }
    }
  }
}

@_cdecl("LLVMFuzzerCustomMutator")
func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ capacity: Int, _ seed: UInt32) -> Int {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: size))
  let output = Mutation.mutate(input, for: Main.chosen, seed: UInt64(seed)) { bytes in
    let room = max(min(bytes.count * 2 + 64, capacity), bytes.count)
    var buffer = bytes + [UInt8](repeating: 0, count: room - bytes.count)
    let count = buffer.withUnsafeMutableBufferPointer { LLVMFuzzerMutate($0.baseAddress, bytes.count, room) }
    return Array(buffer.prefix(count))
  }
  let count = min(output.count, capacity)
  output.withUnsafeBufferPointer { if let base = $0.baseAddress { data.update(from: base, count: count) } }
  return count
}
