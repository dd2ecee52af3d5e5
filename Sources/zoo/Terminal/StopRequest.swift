import Foundation
import Synchronization
import ZooCheckpoint

/// Ctrl-C asks a long run to save and stop; a second one ends it at once.
final class StopRequest: Sendable {
  private let asked = Atomic<Bool>(false)

  @Sendable func isAsked() -> Bool { asked.load(ordering: .relaxed) }

  /// Takes signals until the program ends.
  static func onSignal() -> StopRequest {
    let request = StopRequest()
    Interruption.handle {
      guard request.asked.exchange(true, ordering: .relaxed) else { return }
      UnfinishedFiles.shared.removeAll()
      exit(ErrorReport.Kind.interrupted.rawValue)
    }
    return request
  }
}
