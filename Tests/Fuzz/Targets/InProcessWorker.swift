import CHDF5
import CIsolation
import COnnx
import Foundation
import Synchronization
import ZooFormats

/// The worker's parsers run in this process, where a fuzzer sees them; or not at all, where the answer is the input.
///
/// libhdf5 runs in a child for each input: it crashes and loops on damaged files often enough to end every long run.
enum InProcessWorker {
  /// libhdf5 has no threads of its own in mind, and tests run side by side.
  private static let turn = Mutex(())

  /// Signals that ended children, counted.
  static let deaths = Mutex<[Int32: Int]>([:])

  /// What libhdf5 may take of the processor; it takes a millisecond for a sound file of the size of fuzzing's inputs.
  private static let milliseconds = 100

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
  ) -> (reply: Data, ending: WorkerStandIn.Ending) {
    turn.withLock { _ in task == .hdf5 ? parseHDF5(image) : parseONNX(image) }
  }

  private static func parseHDF5(_ image: UnsafeRawBufferPointer) -> (reply: Data, ending: WorkerStandIn.Ending) {
    precondition(zoo_hdf5_prepare() == 0, "libhdf5 can't be used")
    var (bytes, count) = (UnsafePointer<UInt8>?.none, 0)
    let status = zoo_parse_isolated(zoo_hdf5_index, image.baseAddress, image.count, milliseconds, &bytes, &count)
    precondition(status >= 0, "no child process: error \(errno)")
    let reply = bytes.map { Data(bytes: $0, count: count) } ?? Data()
    let signal = status & 0x7F
    guard signal != 0 else { return (reply, status == 0 ? .parsed : .refused) }
    deaths.withLock { $0[signal, default: 0] += 1 }
    return (Data(), .killed(signal: signal))
  }

  private static func parseONNX(_ image: UnsafeRawBufferPointer) -> (reply: Data, ending: WorkerStandIn.Ending) {
    var (answer, problem) = (zoo_text(), zoo_text())
    (answer.limit, problem.limit) = (WorkerProtocol.largestReply, 1 << 16)
    defer {
      zoo_text_free(&answer)
      zoo_text_free(&problem)
    }
    let result = zoo_onnx_index(image.baseAddress, image.count, &answer, &problem)
    let reply = result == 0 ? answer : problem
    return (reply.bytes.map { Data(bytes: $0, count: reply.count) } ?? Data(), result == 0 ? .parsed : .refused)
  }
}
