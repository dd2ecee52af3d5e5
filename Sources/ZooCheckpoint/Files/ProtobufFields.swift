/// The fields of one protobuf message, in order, checked against its end
/// (https://protobuf.dev/programming-guides/encoding/).
package struct ProtobufFields {
  package enum Value {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64
    case bytes(UnsafeRawBufferPointer)
  }

  private let bytes: UnsafeRawBufferPointer
  package private(set) var position = 0

  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next field; nil at the end, or where the message is malformed, which ``isWhole`` tells apart.
  package mutating func next() -> (number: UInt64, value: Value)? {
    guard position < bytes.count, let tag = varint() else { return nil }
    switch tag & 7 {
    case 0: return varint().map { (tag >> 3, .varint($0)) }
    case 1: return take(8).map { _ in (tag >> 3, .fixed64) }
    case 2:
      guard let length = varint(), length <= UInt64(bytes.count - position) else { return fail() }
      return take(Int(length)).map { (tag >> 3, .bytes($0)) }
    case 5: return take(4).map { (tag >> 3, .fixed32(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)))) }
    default: return fail()
    }
  }

  package private(set) var isWhole = true

  private mutating func fail<T>() -> T? {
    isWhole = false
    return nil
  }

  package mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count <= bytes.count - position else { return fail() }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
  }

  /// Seven bits a byte, the lowest first.
  package mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < bytes.count else { return fail() }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return fail()
  }
}
