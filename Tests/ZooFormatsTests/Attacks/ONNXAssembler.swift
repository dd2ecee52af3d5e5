/// A field of a protobuf message, written by hand so that it can lie.
enum ProtobufField {
  case number(UInt64, UInt64)
  case text(UInt64, String)
  case data(UInt64, [UInt8])
  case message(UInt64, [ProtobufField])
  /// A length and what really follows it.
  case lying(UInt64, length: UInt64, [UInt8])
  case bytes([UInt8])

  static func varint(_ value: UInt64) -> [UInt8] {
    var (value, bytes) = (value, [UInt8]())
    while value > 0x7F {
      bytes.append(UInt8(value & 0x7F) | 0x80)
      value >>= 7
    }
    return bytes + [UInt8(value)]
  }

  static func bytes(_ fields: [ProtobufField]) -> [UInt8] { fields.flatMap(\.encoded) }

  private var encoded: [UInt8] {
    switch self {
    case .number(let field, let value): Self.varint(field << 3) + Self.varint(value)
    case .text(let field, let text): Self.delimited(field, Array(text.utf8))
    case .data(let field, let bytes): Self.delimited(field, bytes)
    case .message(let field, let fields): Self.delimited(field, Self.bytes(fields))
    case .lying(let field, let length, let bytes): Self.varint(field << 3 | 2) + Self.varint(length) + bytes
    case .bytes(let bytes): bytes
    }
  }

  private static func delimited(_ field: UInt64, _ bytes: [UInt8]) -> [UInt8] {
    varint(field << 3 | 2) + varint(UInt64(bytes.count)) + bytes
  }
}

/// ONNX models of a few fields. Numbers are those of onnx.proto.
enum ONNXAssembler {
  enum Axis {
    case size(UInt64)
    case name(String)
  }

  static func model(graph: [ProtobufField], more: [ProtobufField] = []) -> [UInt8] {
    ProtobufField.bytes([.number(1, 8), .text(2, "tests"), .message(7, graph), .message(8, [.number(2, 17)])] + more)
  }

  static func node(
    _ kind: String, _ inputs: [String], _ outputs: [String], _ attributes: [ProtobufField] = []
  ) -> [ProtobufField] {
    inputs.map { .text(1, $0) } + outputs.map { .text(2, $0) } + [.text(4, kind)] + attributes
  }

  static func tensor(
    _ name: String, dims: [UInt64], raw: [UInt8]? = nil, type: UInt64 = 1, _ more: [ProtobufField] = []
  ) -> [ProtobufField] {
    dims.map { .number(1, $0) } + [.number(2, type), .text(8, name)] + (raw.map { [.data(9, $0)] } ?? []) + more
  }

  /// - Parameter entries: location, offset and length as the file says them.
  static func external(_ name: String, dims: [UInt64], _ entries: [(String, String)]) -> [ProtobufField] {
    tensor(
      name, dims: dims,
      entries.map { .message(13, [.text(1, $0.0), .text(2, $0.1)]) } + [.number(14, 1)])
  }

  static func value(_ name: String, axes: [Axis]) -> [ProtobufField] {
    let sizes = axes.map { axis in
      switch axis {
      case .size(let size): ProtobufField.message(1, [.number(1, size)])
      case .name(let name): ProtobufField.message(1, name.isEmpty ? [] : [.text(2, name)])
      }
    }
    return [.text(1, name), .message(2, [.message(1, [.number(1, 1), .message(2, sizes)])])]
  }
}
