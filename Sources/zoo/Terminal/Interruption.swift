import Dispatch
import Foundation
import ZooCheckpoint

/// What Ctrl-C and SIGTERM do: unfinished files go away and the program ends with 130.
///
/// Commands that have something to save first set ``handler``.
enum Interruption {
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
  nonisolated(unsafe) private static var handler: (@Sendable () -> Void)?
  private static let lock = NSLock()

  /// Called instead of ending the program; nil ends it.
  static func handle(_ work: (@Sendable () -> Void)?) { lock.withLock { handler = work } }

  static func install() {
    signal(SIGPIPE, SIG_DFL)
    // A file over the limit (ulimit -f) is then an error like a full disk.
    signal(SIGXFSZ, SIG_IGN)
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if let work = lock.withLock({ handler }) { return work() }
        UnfinishedFiles.shared.removeAll()
        FileHandle.standardError.write(Data("\nzoo: interrupted\n".utf8))
        exit(130)
      }
      source.resume()
      sources.append(source)
    }
  }
}
