import Foundation
import ZooCheckpoint

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Runs a C parser over an untrusted file in a process of its own that can do nothing but parse.
///
/// The process gets the file as an open, read-only descriptor and answers on a pipe; it has limits on memory and time,
/// no new privileges, and a seccomp filter without open, exec and socket. Its death is an error here, nothing more.
enum Worker {
  /// - Parameters:
  ///   - offset, count: the part of the file to parse.
  ///   - limit: seconds of processor time; nil for what such a part may take.
  /// - Returns: the answer's bytes, JSON of the task's own kind.
  /// - Throws: ``WorkerError``.
  static func run(
    _ task: WorkerProtocol.Task, on file: MappedFile, offset: Int, count: Int, limit: Int? = nil
  ) throws(WorkerError) -> Data {
    if let parser = WorkerStandIn.parser {
      return try reply(of: parser, task, file: file, offset: offset, count: count)
    }
    let program = try WorkerProgram.find(for: file.path)
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .notStarted(file: file.path, code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // A structure is listed in milliseconds, however much data stands behind it.
    let seconds = limit ?? 4 + count >> 25
    let arguments = [program, WorkerProtocol.verb, task.rawValue, "\(offset)", "\(count)", "\(seconds)"]
    let child = spawn(program, arguments, file: file.descriptor, output: ends[1])
    close(ends[1])
    defer { close(ends[0]) }
    guard child.code == 0 else { throw .notStarted(file: file.path, code: child.code) }
    let (reply, isLate) = collect(from: ends[0], seconds: seconds * 2 + 10)
    if isLate || reply == nil { kill(child.process, SIGKILL) }
    var status: Int32 = 0
    while waitpid(child.process, &status, 0) < 0, errno == EINTR {}
    if isLate { throw .timeLimit(file: file.path, seconds: seconds) }
    guard let reply else { throw .badReply(file: file.path, problem: "is too long") }
    try check(status, reply, seconds: seconds, file: file.path)
    return reply
  }

  private static func reply(
    of parser: WorkerStandIn.Parser, _ task: WorkerProtocol.Task, file: MappedFile, offset: Int, count: Int
  ) throws(WorkerError) -> Data {
    guard let (reply, ending) = try? file.withBytes(offset: offset, count: count, { parser(task, $0) }) else {
      throw .badReply(file: file.path, problem: "is about bytes outside the file")
    }
    try check(ending.status, reply, seconds: 0, file: file.path)
    return reply
  }

  private static func spawn(
    _ program: String, _ arguments: [String], file: Int32, output: Int32
  ) -> (process: pid_t, code: Int32) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // The pipe may have the number that the file is to get, so it moves first.
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, file, WorkerProtocol.fileDescriptor)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    // A worker needs nothing of the environment.
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    var process = pid_t()
    let code = posix_spawn(&process, program, &actions, nil, &pointers, &environment)
    return (process, code)
  }

  /// Everything written to the pipe until it closes; nil where that is more than an answer may be.
  private static func collect(from descriptor: Int32, seconds: Int) -> (Data?, isLate: Bool) {
    var reply = Data()
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    let size = 1 << 16
    return withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { buffer in
      while true {
        let left = ContinuousClock.now.duration(to: deadline).components.seconds
        guard left > 0 else { return (nil, true) }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let ready = poll(&waiting, 1, Int32(min(left, 3600)) * 1000)
        if ready < 0 && errno == EINTR { continue }
        if ready == 0 { continue }
        let got = read(descriptor, buffer.baseAddress, size)
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { return (reply, false) }
        guard reply.count + got <= WorkerProtocol.largestReply else { return (nil, false) }
        reply.append(contentsOf: buffer[0..<got])
      }
    }
  }

  private static func check(_ status: Int32, _ reply: Data, seconds: Int, file: String) throws(WorkerError) {
    let signal = status & 0x7F
    if signal == SIGSYS { throw .forbiddenCall(file: file) }
    if signal == SIGXCPU || signal == SIGKILL { throw .timeLimit(file: file, seconds: seconds) }
    if signal != 0 { throw .crashed(file: file, signal: signal) }
    switch WorkerProtocol.ExitCode(rawValue: (status >> 8) & 0xFF) {
    case .parsed: return
    case .refused:
      guard let problem = try? JSONDecoder().decode(WorkerProtocol.Problem.self, from: reply) else {
        throw .badReply(file: file, problem: "can't be read")
      }
      throw .refused(file: file, place: problem.place, problem: problem.problem)
    case .noSandbox: throw .noSandbox(file: file)
    default: throw .badReply(file: file, problem: "ended with code \((status >> 8) & 0xFF)")
    }
  }
}
