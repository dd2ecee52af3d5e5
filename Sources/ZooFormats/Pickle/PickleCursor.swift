/// Reads a pickle's bytes in order; every read is checked.
struct PickleCursor {
  private let bytes: UnsafeRawBufferPointer
  private(set) var offset: Int

  init(_ bytes: UnsafeRawBufferPointer, offset: Int) {
    self.bytes = bytes
    self.offset = offset
  }

  var remaining: Int { bytes.count - offset }

  /// The next `count` bytes.
  mutating func take(_ count: Int) throws(PickleFault) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else {
      throw PickleFault(.truncated(needed: max(count, 0), remaining: remaining))
    }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
  }

  mutating func byte() throws(PickleFault) -> UInt8 { try take(1)[0] }

  /// A little-endian unsigned integer of `size` bytes.
  mutating func unsigned(_ size: Int) throws(PickleFault) -> UInt64 {
    try take(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A length; one beyond what is left is refused before anything is allocated.
  mutating func length(_ size: Int) throws(PickleFault) -> Int {
    let value = try unsigned(size)
    guard value <= UInt64(remaining) else {
      throw PickleFault(.truncated(needed: Int(clamping: value), remaining: remaining))
    }
    return Int(value)
  }

  /// Bytes up to the next newline, which is consumed.
  mutating func line() throws(PickleFault) -> UnsafeRawBufferPointer {
    guard let end = bytes[offset...].firstIndex(of: 0x0A) else {
      throw PickleFault(.truncated(needed: remaining + 1, remaining: remaining))
    }
    defer { offset = end + 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
  }
}

/// A fault whose place the interpreter knows.
struct PickleFault: Error {
  let fault: PickleError.Fault
  init(_ fault: PickleError.Fault) { self.fault = fault }
}

extension String {
  /// UTF-8, or Latin-1 where it isn't, as Python 2 wrote strings.
  init(pickled bytes: UnsafeRawBufferPointer) {
    self =
      String(validating: bytes, as: UTF8.self) ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }
}
