import ZooFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Does inside the sandbox what an attacker who took the parser over would try, so that tests can see it fail.
enum SandboxProbe {
  static func run(_ task: WorkerProtocol.Task) {
    switch task {
    case .probeOpen: _ = open("/etc/passwd", O_RDONLY)
    case .probeExecute:
      var arguments: [UnsafeMutablePointer<CChar>?] = [nil]
      execv("/bin/true", &arguments)
    case .probeSocket: _ = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    case .probeCrash: raise(SIGSEGV)
    case .probeMemory:
      guard malloc(Sandbox.memory * 2) == nil else { return }
      abort()
    case .probeTime: while getpid() > 0 {}
    case .hdf5, .onnx: break
    }
  }
}
