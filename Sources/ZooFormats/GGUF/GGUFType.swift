import ZooCheckpoint

/// How a GGUF tensor's elements are stored, by GGML's number.
enum GGUFType: Equatable {
  case elements(DType)
  /// Blocks of small integers with scales; read as float32.
  case quantised(elements: Int, bytes: Int)
  /// Known by name, or by number only.
  case unsupported(String)

  init(_ number: UInt32) {
    self =
      Self.plain[number].map { .elements($0) }
      ?? Self.blocks[number].map { .quantised(elements: $0.elements, bytes: $0.bytes) }
      ?? .unsupported(Self.others[number] ?? "type \(number)")
  }

  private static let plain: [UInt32: DType] = [
    0: .float32, 1: .float16, 24: .int8, 25: .int16, 26: .int32, 27: .int64, 28: .float64, 30: .bfloat16,
  ]

  /// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K: elements and bytes of a block.
  private static let blocks: [UInt32: (elements: Int, bytes: Int)] = [
    2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 12: (256, 144), 13: (256, 176), 14: (256, 210),
  ]

  private static let others: [UInt32: String] = [
    9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
    40: "NVFP4", 41: "Q1_0",
  ]
}
