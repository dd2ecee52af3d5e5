import ZooCheckpoint
import ZooFormats

/// A tensor of the file: its description in memory, its data where it was until it is written.
struct ONNXInitializer {
  let name: String
  let tensor: Tensor
  let dtype: DType

  var byteCount: Int { tensor.elementCount * dtype.size }

  /// TensorProto without its data. Field numbers: onnx.proto.
  private var description: ProtobufWriter {
    var proto = ProtobufWriter()
    for size in tensor.shape { proto.integer(1, size) }
    proto.integer(2, ONNXDataType.number(of: dtype))
    proto.string(8, name)
    return proto
  }

  /// All that stands before the data in the graph: tag, length, description, tag and length of `raw_data`.
  var head: ProtobufWriter {
    var inner = description
    inner.length(9, byteCount)
    var head = ProtobufWriter()
    head.length(5, inner.bytes.count + byteCount)
    head.append(inner)
    return head
  }

  /// The whole entry where the data stands in another file.
  func external(location: String, offset: Int) -> ProtobufWriter {
    var inner = description
    for (key, value) in [("location", location), ("offset", "\(offset)"), ("length", "\(byteCount)")] {
      inner.message(13) { entry in
        entry.string(1, key)
        entry.string(2, value)
      }
    }
    inner.integer(14, 1)
    var field = ProtobufWriter()
    field.message(5, inner)
    return field
  }
}
