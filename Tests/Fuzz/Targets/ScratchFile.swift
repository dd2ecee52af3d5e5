import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file without a name that readers open by path; in memory where the system has such a folder.
final class ScratchFile {
  private let descriptor: Int32
  private let path: String

  /// One for each thread.
  static var thread: ScratchFile {
    let key = "zoo.fuzz.scratch"
    if let known = Thread.current.threadDictionary[key] as? ScratchFile { return known }
    let made = ScratchFile()
    Thread.current.threadDictionary[key] = made
    return made
  }

  private init() {
    let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
    var name = Array("\(folder)/zoo-fuzz-XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    precondition(descriptor >= 0, "no scratch file: error \(errno)")
    unlink(name)
    path = "/proc/self/fd/\(descriptor)"
  }

  deinit { close(descriptor) }

  /// The path of a file that holds just these bytes until the next call.
  func holding(_ bytes: UnsafeRawBufferPointer) throws -> String {
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
    return path
  }
}
