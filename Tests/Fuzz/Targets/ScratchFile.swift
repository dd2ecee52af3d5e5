import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

private enum Scratch {
  /// In memory where the system has such a folder.
  static var base: String { access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory() }

  static func ofThread<Place: AnyObject>(_ key: String, make: () -> Place) -> Place {
    if let known = Thread.current.threadDictionary[key] as? Place { return known }
    let made = make()
    Thread.current.threadDictionary[key] = made
    return made
  }
}

/// A file without a name that readers open by path; in memory where the system has such a folder.
final class ScratchFile {
  private let descriptor: Int32
  private let path: String

  /// One for each thread.
  static var thread: ScratchFile { Scratch.ofThread("zoo.fuzz.scratch", make: ScratchFile.init) }

  private init() {
    var name = Array("\(Scratch.base)/zoo-fuzz-XXXXXX".utf8CString)
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

/// A folder of weights, one tensor, in which one file changes; in memory where the system has such a folder.
final class ScratchFolder {
  private let path: String

  /// One for each thread; they stay until the process ends.
  static var thread: ScratchFolder { Scratch.ofThread("zoo.fuzz.folder", make: ScratchFolder.init) }

  private init() {
    path = "\(Scratch.base)/zoo-fuzz-\(UUID().uuidString)"
    mkdir(path, 0o700)
    let header = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    let size = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    let file = Data(size + Array(header.utf8) + [0, 0, 0, 0])
    precondition((try? file.write(to: URL(filePath: path + "/model.safetensors"))) != nil, "no scratch folder")
    Self.made.withLock { made in
      // Threads that the process ends with leave their folders.
      if made.isEmpty { atexit { ScratchFolder.removeAll() } }
      made.append(path)
    }
  }

  private static let made = Mutex<[String]>([])

  private static func removeAll() {
    for folder in made.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: folder) }
  }

  /// The folder's path, with just these bytes in the file of that name.
  func holding(_ bytes: UnsafeRawBufferPointer, as name: String) throws -> String {
    let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { close(file) }
    guard file >= 0, write(file, bytes.baseAddress, bytes.count) == bytes.count else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
    return path
  }
}
