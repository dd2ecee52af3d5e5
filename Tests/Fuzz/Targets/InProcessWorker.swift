import CHDF5
import COnnx
import CText
import Foundation
import Synchronization
import ZooFormats

/// The worker's parsers run in this process, where a fuzzer sees them; or not at all, where the answer is the input.
enum InProcessWorker {
  /// libhdf5 has no threads of its own in mind, and tests run side by side.
  private static let turn = Mutex(())

  static func standIn<R>(for target: FuzzTarget, answer: UnsafeRawBufferPointer, _ body: () throws -> R) throws -> R {
    switch target {
    case .hdf5Answer, .onnxAnswer:
      let reply = Data(answer)
      return try WorkerStandIn.with({ _, _ in (reply, .parsed) }, body)
    case .hdf5, .keras, .onnx, .scan: return try WorkerStandIn.with({ parse($0, $1) }, body)
    default: return try body()
    }
  }

  static func parse(
    _ task: WorkerProtocol.Task, _ image: UnsafeRawBufferPointer
  ) -> (reply: Data, code: WorkerProtocol.ExitCode) {
    turn.withLock { _ in parseAlone(task, image) }
  }

  private static func parseAlone(
    _ task: WorkerProtocol.Task, _ image: UnsafeRawBufferPointer
  ) -> (reply: Data, code: WorkerProtocol.ExitCode) {
    // libhdf5 keeps what it prints for each thread.
    precondition(zoo_hdf5_prepare() == 0, "libhdf5 can't be used")
    var (answer, problem) = (zoo_text(), zoo_text())
    (answer.limit, problem.limit) = (WorkerProtocol.largestReply, 1 << 16)
    defer {
      zoo_text_free(&answer)
      zoo_text_free(&problem)
    }
    let result =
      task == .hdf5
      ? zoo_hdf5_index(image.baseAddress, image.count, &answer, &problem)
      : zoo_onnx_index(image.baseAddress, image.count, &answer, &problem)
    let reply = result == 0 ? answer : problem
    return (reply.bytes.map { Data(bytes: $0, count: reply.count) } ?? Data(), result == 0 ? .parsed : .refused)
  }
}
