import ZooCheckpoint

/// Whether a file may be ONNX, which has no signature: a protobuf message whose fields are those of ModelProto.
enum ONNXSignature {
  /// Wire type by field number: varints and messages (onnx.proto).
  private static let wireTypes: [UInt64: UInt64] = [
    1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2,
  ]

  /// The usual beginning is enough, so that a file cut short is still known; else all of the message is walked over.
  static func matches(_ head: [UInt8], file: MappedFile) throws -> Bool {
    if head.count > 3, head[0] == 0x08, (1...0x20).contains(head[1]),
      [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42].contains(head[2])
    {
      return true
    }
    return try file.withBytes(offset: 0, count: file.count) { walk($0) }
  }

  private static func walk(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var (place, fields, hasGraph) = (0, 0, false)
    while place < bytes.count {
      guard let tag = varint(bytes, &place), wireTypes[tag >> 3] == tag & 7, let value = varint(bytes, &place) else {
        return false
      }
      fields += 1
      guard fields < 10_000 else { return false }
      if tag & 7 == 0 { continue }
      guard value <= UInt64(bytes.count - place) else { return false }
      hasGraph = hasGraph || tag >> 3 == 7
      place += Int(value)
    }
    return hasGraph
  }

  private static func varint(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 63, by: 7) {
      guard place < bytes.count else { return nil }
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }
}
