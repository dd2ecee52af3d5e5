import Foundation
import ZooCheckpoint

/// `log.jsonl`: one line of JSON an epoch, on the disk as soon as the epoch ends.
public final class TrainingLog {
  private let path: String
  private let file: FileHandle

  /// Begins a log; `records` are those of an interrupted run that this one continues.
  ///
  /// - Throws: `FileError`.
  public init(path: String, continuing records: [EpochRecord] = []) throws {
    let start = try AtomicFile(path: path, overwrite: true)
    for record in records { try start.write(CheckpointMetadata.encode(record) + "\n") }
    try start.commit()
    guard let file = FileHandle(forWritingAtPath: path) else {
      throw FileError.system(file: path, operation: "open", code: errno)
    }
    self.path = path
    self.file = file
    _ = try? file.seekToEnd()
  }

  /// - Throws: `FileError`.
  public func append(_ record: EpochRecord) throws {
    var line = CheckpointMetadata.encode(record) + "\n"
    try line.withUTF8 { bytes in
      var done = 0
      while done < bytes.count {
        let written = write(file.fileDescriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw FileError.system(file: path, operation: "write", code: errno) }
        done += written
      }
    }
  }
}
