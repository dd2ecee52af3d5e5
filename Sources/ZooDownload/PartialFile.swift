import Foundation
import ZooCheckpoint

/// A file that is not whole yet, with the server's name for the version that its bytes belong to.
///
/// One program at a time holds it.
struct PartialFile {
  let path: String
  private let lock: FileLock
  private var notePath: String { path + ".validator" }
  var descriptor: Int32 { lock.descriptor }

  /// - Throws: `FileError`.
  init(path: String) throws(FileError) {
    self.path = path
    lock = try FileLock(path: path)
  }

  /// Bytes that are here.
  var size: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// The server's name for the version that the bytes belong to; nil where it gave none.
  var validator: String? { Self.validator(beside: path) }

  /// Keeps the server's name for the version whose bytes are about to come.
  func remember(_ validator: String?) { Self.remember(validator, beside: path) }

  /// Throws away what is here.
  func clear() {
    _ = ftruncate(descriptor, 0)
    unlink(notePath)
  }

  /// Gives the bytes their final name.
  ///
  /// - Throws: `FileError`.
  func finish(as target: String) throws(FileError) {
    guard fsync(descriptor) == 0 else { throw .system(file: path, operation: "sync", code: errno) }
    guard rename(path, target) == 0 else { throw .system(file: target, operation: "create", code: errno) }
    unlink(notePath)
  }

  /// Removes the file itself.
  func remove() { unlink(path) }

  static func validator(beside file: String) -> String? {
    guard let text = try? String(contentsOfFile: file + ".validator", encoding: .utf8), !text.isEmpty,
      !text.contains(where: \.isNewline)
    else { return nil }
    return text
  }

  static func remember(_ validator: String?, beside file: String) {
    if let validator {
      try? Data(validator.utf8).write(to: URL(filePath: file + ".validator"), options: .atomic)
    } else {
      unlink(file + ".validator")
    }
  }
}
