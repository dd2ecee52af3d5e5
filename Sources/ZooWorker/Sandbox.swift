import CSeccomp
import ZooFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Takes from this process all that parsing a mapped file doesn't need. There is no way back.
enum Sandbox {
  /// Memory beyond the mapped file, in bytes.
  static let memory = 1 << 30

  /// - Returns: whether all limits and the filter are in place.
  static func enter(mapped: Int, seconds: Int) -> Bool {
    // The mapping outlives its descriptor; others may be open by accident.
    for descriptor in WorkerProtocol.fileDescriptor..<1024 { close(descriptor) }
    // Swift's own handlers would start a debugger, which the filter takes for an attack.
    for crash in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGQUIT] { signal(crash, SIG_DFL) }
    return limit(__rlimit_resource_t(RLIMIT_AS.rawValue), mapped + memory)
      && limit(__rlimit_resource_t(RLIMIT_CPU.rawValue), seconds)
      && limit(__rlimit_resource_t(RLIMIT_CORE.rawValue), 0) && limit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), 0)
      && filterCalls()
  }

  private static func limit(_ resource: __rlimit_resource_t, _ value: Int) -> Bool {
    var limits = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
    return setrlimit(resource, &limits) == 0
  }

  /// Memory, the pipe that is open already, time and the process's own end; opening fails, and any other call kills the process.
  private static let allowed = [
    "write", "mmap", "munmap", "mremap", "mprotect", "madvise", "brk", "futex", "exit", "exit_group",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "clock_gettime", "gettimeofday", "getrandom",
    "gettid", "getpid", "sched_yield", "sched_getaffinity", "restart_syscall", "rseq",
  ]

  private static func filterCalls() -> Bool {
    guard let filter = seccomp_init(SCMP_ACT_KILL_PROCESS_VALUE) else { return false }
    defer { seccomp_release(filter) }
    for name in allowed {
      let number = seccomp_syscall_resolve_name(name)
      // A call that this machine doesn't have needs no permission.
      guard number >= 0 else { continue }
      guard seccomp_rule_add_exact_array(filter, SCMP_ACT_ALLOW_VALUE, number, 0, nil) == 0 else { return false }
    }
    // A crash ends this process by a signal to itself; no other process may get one.
    let itself = [scmp_arg_cmp(arg: 0, op: SCMP_CMP_EQ, datum_a: UInt64(getpid()), datum_b: 0)]
    let signal = seccomp_syscall_resolve_name("tgkill")
    guard signal < 0 || seccomp_rule_add_exact_array(filter, SCMP_ACT_ALLOW_VALUE, signal, 1, itself) == 0 else {
      return false
    }
    // libhdf5 looks whether its image's name is a file, and takes no for an answer.
    for name in ["open", "openat"] {
      let number = seccomp_syscall_resolve_name(name)
      guard
        number < 0 || seccomp_rule_add_exact_array(filter, SCMP_ACT_ERRNO_VALUE | UInt32(EACCES), number, 0, nil) == 0
      else { return false }
    }
    // Loading it takes new privileges away for good (no_new_privs).
    return seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1) == 0 && seccomp_load(filter) == 0
  }

  // The header's macros, which Swift doesn't see.
  private static let SCMP_ACT_KILL_PROCESS_VALUE: UInt32 = 0x8000_0000
  private static let SCMP_ACT_ERRNO_VALUE: UInt32 = 0x0005_0000
  private static let SCMP_ACT_ALLOW_VALUE: UInt32 = 0x7FFF_0000
}
