/// Checked little-endian reads at any offset; nil beyond the end.
struct LittleEndianBytes {
  let bytes: UnsafeRawBufferPointer

  var count: Int { bytes.count }

  private func value<T: FixedWidthInteger & UnsignedInteger>(_ offset: Int, _: T.Type) -> T? {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<T>.size else { return nil }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  func uint16(_ offset: Int) -> UInt16? { value(offset, UInt16.self) }
  func uint32(_ offset: Int) -> UInt32? { value(offset, UInt32.self) }

  /// A 64-bit size or offset; nil where it is too large for any file.
  func size64(_ offset: Int) -> Int? {
    guard let value = value(offset, UInt64.self), value <= UInt64(Int.max / 4) else { return nil }
    return Int(value)
  }

  func range(_ offset: Int, _ size: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, size >= 0, offset <= bytes.count, size <= bytes.count - offset else { return nil }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + size)])
  }
}
