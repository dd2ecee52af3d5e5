import CHDF5
import COnnx
import CText
import ZooFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The worker's side: maps the file it was given, shuts itself in, parses, answers, ends.
public enum WorkerMain {
  /// Becomes a worker where the arguments say so, and then never returns.
  public static func runIfAsked(_ arguments: [String]) {
    guard arguments.count > 1, arguments[1] == WorkerProtocol.verb else { return }
    guard arguments.count == 6, let task = WorkerProtocol.Task(rawValue: arguments[2]),
      let offset = Int(arguments[3]), let count = Int(arguments[4]), let seconds = Int(arguments[5]),
      let image = map(offset: offset, count: count)
    else { end(.usage) }
    guard prepare(task), Sandbox.enter(mapped: image.mapped, seconds: seconds) else { end(.noSandbox) }
    switch task {
    case .hdf5: parse(image.bytes, by: zoo_hdf5_index)
    case .onnx: parse(image.bytes, by: zoo_onnx_index)
    default: SandboxProbe.run(task)
    }
    end(.usage)
  }

  /// What a library must do while system calls are still allowed.
  private static func prepare(_ task: WorkerProtocol.Task) -> Bool {
    tzset()
    return task == .hdf5 ? zoo_hdf5_prepare() == 0 : true
  }

  private static func map(offset: Int, count: Int) -> (bytes: UnsafeRawBufferPointer, mapped: Int)? {
    var status = stat()
    guard fstat(WorkerProtocol.fileDescriptor, &status) == 0, offset >= 0, count > 0,
      offset <= Int(status.st_size), count <= Int(status.st_size) - offset,
      let base = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, WorkerProtocol.fileDescriptor, 0),
      base != MAP_FAILED
    else { return nil }
    return (UnsafeRawBufferPointer(start: base + offset, count: count), Int(status.st_size))
  }

  /// - Parameter parser: fills the first text and returns 0, or says in the second what is wrong.
  private static func parse(
    _ image: UnsafeRawBufferPointer,
    by parser: (UnsafeRawPointer?, Int, UnsafeMutablePointer<zoo_text>?, UnsafeMutablePointer<zoo_text>?) -> Int32
  ) -> Never {
    var json = zoo_text()
    json.limit = WorkerProtocol.largestReply
    var problem = zoo_text()
    problem.limit = 1 << 16
    let result = parser(image.baseAddress, image.count, &json, &problem)
    let reply = result == 0 ? json : problem
    answer(UnsafeRawBufferPointer(start: reply.bytes, count: reply.count), result == 0 ? .parsed : .refused)
  }

  static func answer(_ bytes: UnsafeRawBufferPointer, _ code: WorkerProtocol.ExitCode) -> Never {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let written = write(1, base + done, bytes.count - done)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { break }
      done += written
    }
    end(code)
  }

  /// Ends at once: handlers that libraries left for the end have no business in here.
  private static func end(_ code: WorkerProtocol.ExitCode) -> Never { _exit(code.rawValue) }
}
