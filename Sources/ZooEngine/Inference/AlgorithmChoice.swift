import COneDNN
import Foundation

/// Which algorithm a convolution runs: measured once for each shape on this machine, remembered for the next compile.
final class AlgorithmChoice {
  private let options: CompileOptions
  private static let lock = NSLock()
  nonisolated(unsafe) private static var known: [String: Bool]?
  private var learned = false

  init(options: CompileOptions) { self.options = options }

  func choose(
    _ network: OpaquePointer, _ source: Int32, _ target: Int32, groups: Int, window: zoo_window, epilogue: zoo_epilogue,
    input: [Int], output: [Int]
  ) -> zoo_algorithm {
    var window = window
    guard options.precision == .float32, groups == 1, window.kernel == (3, 3), window.stride == (1, 1),
      window.dilation == (1, 1), input[1] >= 16
    else { return ZOO_DIRECT }
    let key = "\(input) \(output) \(window.before) \(window.after) \(epilogue.adds_output) \(options.threads ?? 0)"
    Self.lock.lock()
    defer { Self.lock.unlock() }
    if Self.known == nil { Self.known = Self.load() }
    if let isWinograd = Self.known?[key] { return isWinograd ? ZOO_WINOGRAD : ZOO_DIRECT }
    let winograd = zoo_network_measure_convolution(
      network, source, target, Int64(groups), &window, ZOO_WINOGRAD, epilogue)
    let direct = zoo_network_measure_convolution(network, source, target, Int64(groups), &window, ZOO_DIRECT, epilogue)
    let isWinograd = winograd > 0 && (direct < 0 || winograd < direct)
    Self.known?[key] = isWinograd
    learned = true
    return isWinograd ? ZOO_WINOGRAD : ZOO_DIRECT
  }

  /// Keeps what was measured; a cache that can't be written costs the next start a second, nothing else.
  func save() {
    guard learned else { return }
    Self.lock.lock()
    let known = Self.known ?? [:]
    Self.lock.unlock()
    guard let data = try? JSONEncoder().encode(known) else { return }
    let file = Self.file
    try? FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? data.write(to: file, options: .atomic)
  }

  private static func load() -> [String: Bool] {
    (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode([String: Bool].self, from: $0) } ?? [:]
  }

  private static var file: URL {
    let environment = ProcessInfo.processInfo.environment
    let home =
      environment["XDG_CACHE_HOME"].map { URL(filePath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache")
    return home.appending(path: "zoo").appending(path: "convolutions-\(processor).json")
  }

  /// The processor's name, so that a shared home serves several machines.
  private static var processor: String {
    let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
    let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last ?? "unknown"
    return name.filter { $0.isLetter || $0.isNumber }
  }
}
