import ZooFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Does inside the sandbox what an attacker who took the parser over would try, so that tests can see it fail.
enum SandboxProbe {
  /// What only fails answers with the error's number; what the filter ends never comes back.
  static func run(_ task: WorkerProtocol.Task) {
    switch task {
    case .probeOpen: tell("open", open("/etc/passwd", O_RDONLY))
    case .probeWrite: tell("write", Int32(write(WorkerProtocol.fileDescriptor, "x", 1)))
    case .probeExecute:
      var arguments: [UnsafeMutablePointer<CChar>?] = [nil]
      execv("/bin/true", &arguments)
    case .probeFork:
      var arguments: [UnsafeMutablePointer<CChar>?] = [nil]
      var process = pid_t()
      posix_spawn(&process, "/bin/true", nil, nil, &arguments, nil)
    case .probeSocket: _ = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    case .probeSignal: kill(1, 0)
    case .probeCrash: raise(SIGSEGV)
    case .probeMemory:
      guard malloc(Sandbox.memory * 2) == nil else { return }
      abort()
    case .probeTime: while getpid() > 0 {}
    case .hdf5, .onnx: break
    }
  }

  private static func tell(_ attempt: String, _ result: Int32) {
    guard result < 0 else { return }
    let answer = #"{"place":"\#(attempt)","problem":"error \#(errno)"}"#
    Array(answer.utf8).withUnsafeBytes { WorkerMain.answer($0, .refused) }
  }
}
