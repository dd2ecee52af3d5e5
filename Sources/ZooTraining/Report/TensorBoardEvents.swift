import Foundation
import ZooCheckpoint

/// The curves of a run as TensorBoard reads them: a file of TFRecords, each an `Event` message with scalars.
///
/// Written whole after each epoch, so that a resumed run has one file without holes. Formats:
/// tensorflow/core/lib/io/record_writer.h and tensorflow/core/util/event.proto.
public enum TensorBoardEvents {
  /// TensorBoard takes files whose names hold `tfevents`.
  public static let file = "events.out.tfevents.zoo"

  /// - Parameter time: seconds since 1970 of the last record; earlier ones count down from it.
  /// - Throws: `FileError`.
  public static func write(_ records: [EpochRecord], to folder: String, time: Double) throws {
    try Folder.make(folder)
    let file = try AtomicFile(path: folder + "/" + file, overwrite: true)
    try bytes(records, time: time).withUnsafeBytes { try file.write($0) }
    try file.commit()
  }

  static func bytes(_ records: [EpochRecord], time: Double) -> [UInt8] {
    var version = ProtobufWriter()
    version.double(1, time)
    version.string(3, "brain.Event:2")
    var file = record(version.bytes)
    for (place, epoch) in records.enumerated() {
      var summary = ProtobufWriter()
      let metric = epoch.metric.name
      let scalars = [
        ("loss/training", epoch.trainingLoss), ("loss/validation", epoch.validationLoss),
        ("\(metric)/training", epoch.trainingScore), ("\(metric)/validation", epoch.validationScore),
        ("learning rate", epoch.learningRate),
      ]
      for (tag, value) in scalars {
        guard let value else { continue }
        var scalar = ProtobufWriter()
        scalar.string(1, tag)
        scalar.float(2, Float(value))
        summary.message(1, scalar)
      }
      var event = ProtobufWriter()
      event.double(1, time - Double(records.count - 1 - place))
      event.integer(2, epoch.epoch)
      event.message(5, summary)
      file += record(event.bytes)
    }
    return file
  }

  /// Length, its checksum, the data, their checksum.
  private static func record(_ data: [UInt8]) -> [UInt8] {
    let length = withUnsafeBytes(of: UInt64(data.count).littleEndian) { Array($0) }
    func checksum(_ bytes: [UInt8]) -> [UInt8] {
      withUnsafeBytes(of: bytes.withUnsafeBytes(CRC32C.masked).littleEndian) { Array($0) }
    }
    return length + checksum(length) + data + checksum(data)
  }
}
