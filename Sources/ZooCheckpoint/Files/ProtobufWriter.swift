/// A protobuf message as bytes (https://protobuf.dev/programming-guides/encoding).
package struct ProtobufWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func integer(_ field: Int, _ value: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(bitPattern: Int64(value)))
  }

  package mutating func float(_ field: Int, _ value: Float) {
    varint(UInt64(field) << 3 | 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  package mutating func double(_ field: Int, _ value: Double) {
    varint(UInt64(field) << 3 | 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  package mutating func string(_ field: Int, _ text: String) {
    length(field, text.utf8.count)
    bytes += text.utf8
  }

  package mutating func message(_ field: Int, _ message: ProtobufWriter) {
    length(field, message.bytes.count)
    bytes += message.bytes
  }

  package mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    body(&inner)
    message(field, inner)
  }

  /// The head of a field whose `count` bytes follow from elsewhere.
  package mutating func length(_ field: Int, _ count: Int) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(count))
  }

  package mutating func append(_ other: ProtobufWriter) { bytes += other.bytes }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }
}
