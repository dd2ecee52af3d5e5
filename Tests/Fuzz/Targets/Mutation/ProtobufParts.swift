/// A protobuf message in its fields; lengths are made right again however deep the change stands.
struct ProtobufParts {
  private enum Content {
    case bytes([UInt8])
    case message(ProtobufParts)
  }
  private struct Field {
    /// Field number and wire type.
    var key: UInt64
    var content: Content
  }

  private var fields: [Field] = []

  /// nil where the bytes are no message.
  init?(_ bytes: [UInt8], depth: Int = 0) {
    var place = 0
    while place < bytes.count {
      guard fields.count < 1 << 12, let key = Self.varint(bytes, &place), (1...1 << 29).contains(key >> 3) else {
        return nil
      }
      let start = place
      switch key & 7 {
      case 0: guard Self.varint(bytes, &place) != nil else { return nil }
      case 1: place += 8
      case 5: place += 4
      case 2:
        guard let count = Self.varint(bytes, &place), count <= UInt64(bytes.count - place) else { return nil }
        let inner = Array(bytes[place..<place + Int(count)])
        place += Int(count)
        let message = depth < 8 && inner.count > 1 ? ProtobufParts(inner, depth: depth + 1) : nil
        fields.append(Field(key: key, content: message.map { .message($0) } ?? .bytes(inner)))
        continue
      default: return nil
      }
      guard place <= bytes.count else { return nil }
      fields.append(Field(key: key, content: .bytes(Array(bytes[start..<place]))))
    }
    if fields.isEmpty { return nil }
  }

  func mutated(random: inout MutationRandom, change: ([UInt8]) -> [UInt8]) -> [UInt8]? {
    var parts = self
    parts.mutate(random: &random, change: change)
    return parts.bytes
  }

  private mutating func mutate(random: inout MutationRandom, change: ([UInt8]) -> [UInt8]) {
    guard !fields.isEmpty else { return }
    let index = random.below(fields.count)
    if case .message(var inner) = fields[index].content, !random.oneIn(5) {
      inner.mutate(random: &random, change: change)
      fields[index].content = .message(inner)
      return
    }
    switch random.below(7) {
    case 0: fields.remove(at: index)
    case 1: fields.insert(fields[random.below(fields.count)], at: index)
    case 2: fields.swapAt(index, random.below(fields.count))
    case 3: fields[index].key = UInt64(random.below(24) + 1) << 3 | fields[index].key & 7
    default:
      switch (fields[index].key & 7, fields[index].content) {
      case (0, _):
        var bytes: [UInt8] = []
        Self.append(UInt64(bitPattern: Int64(random.integer())), to: &bytes)
        fields[index].content = .bytes(bytes)
      case (2, .bytes(let bytes)): fields[index].content = .bytes(change(bytes))
      case (2, .message(let inner)): fields[index].content = .bytes(change(inner.bytes))
      default: break
      }
    }
  }

  private var bytes: [UInt8] {
    var output: [UInt8] = []
    for field in fields {
      Self.append(field.key, to: &output)
      let content: [UInt8]
      switch field.content {
      case .bytes(let bytes): content = bytes
      case .message(let message): content = message.bytes
      }
      if field.key & 7 == 2 { Self.append(UInt64(content.count), to: &output) }
      output += content
    }
    return output
  }

  private static func varint(_ bytes: [UInt8], _ place: inout Int) -> UInt64? {
    var (value, shift) = (UInt64(0), UInt64(0))
    while place < bytes.count, shift < 64 {
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    var left = value
    while left >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: left) | 0x80)
      left >>= 7
    }
    bytes.append(UInt8(left))
  }
}
