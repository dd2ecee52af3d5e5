import ZooCheckpoint

/// The numbers of TensorProto.DataType (onnx.proto).
package enum ONNXDataType {
  package static func number(of dtype: DType) -> Int {
    switch dtype {
    case .float32: 1
    case .uint8: 2
    case .int8: 3
    case .uint16: 4
    case .int16: 5
    case .int32: 6
    case .int64: 7
    case .bool: 9
    case .float16: 10
    case .float64: 11
    case .uint32: 12
    case .uint64: 13
    case .bfloat16: 16
    case .float8E4M3: 17
    case .float8E5M2: 19
    }
  }

  package static func dtype(_ number: Int) -> DType? { DType.allCases.first { self.number(of: $0) == number } }
}
