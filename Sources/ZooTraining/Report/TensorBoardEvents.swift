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
    var version = ProtobufMessage()
    version.double(1, time)
    version.text(3, "brain.Event:2")
    var file = record(version.bytes)
    for (place, epoch) in records.enumerated() {
      var summary = ProtobufMessage()
      for (tag, value) in [
        ("loss/training", epoch.trainingLoss), ("loss/validation", epoch.validationLoss),
        ("accuracy/training", epoch.trainingAccuracy), ("accuracy/validation", epoch.validationAccuracy),
        ("learning rate", epoch.learningRate),
      ] {
        var scalar = ProtobufMessage()
        scalar.text(1, tag)
        scalar.float(2, Float(value))
        summary.message(1, scalar)
      }
      var event = ProtobufMessage()
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
      withUnsafeBytes(of: CRC32C.masked(bytes).littleEndian) { Array($0) }
    }
    return length + checksum(length) + data + checksum(data)
  }
}

/// Castagnoli's cyclic redundancy check.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
  }

  /// As TFRecord stores it, so that checksums of data that hold checksums stay good.
  static func masked(_ bytes: [UInt8]) -> UInt32 {
    let sum = checksum(bytes)
    return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
  }
}

/// The few field types of a protobuf message that an event needs.
private struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  mutating func integer(_ field: Int, _ value: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func double(_ field: Int, _ value: Double) {
    varint(UInt64(field) << 3 | 1)
    bytes += withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  mutating func float(_ field: Int, _ value: Float) {
    varint(UInt64(field) << 3 | 5)
    bytes += withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }
  mutating func message(_ field: Int, _ value: ProtobufMessage) { data(field, value.bytes) }

  private mutating func data(_ field: Int, _ value: [UInt8]) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(value.count))
    bytes += value
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
