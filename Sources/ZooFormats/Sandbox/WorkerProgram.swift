import Foundation
import Synchronization

/// Which program is run again as the sandboxed worker.
public enum WorkerProgram {
  private static let own = Mutex(false)

  /// Says that this very program handles the worker's verb; `zoo` does so first of all.
  public static func useThisProgram() { own.withLock { $0 = true } }

  /// This program where it can be a worker; else `zoo` beside it or in the PATH.
  static func find(for file: String) throws(WorkerError) -> String {
    let this = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    if own.withLock({ $0 }) { return "/proc/self/exe" }
    let beside = URL(filePath: this).deletingLastPathComponent().appending(path: "zoo").path
    let inPath = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { $0 + "/zoo" }
    let candidates = [beside] + inPath.map { String($0) }
    guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw .noProgram(file: file, searched: Array(candidates.prefix(1)))
    }
    return found
  }
}
