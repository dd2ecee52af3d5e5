import COneDNN
import ZooCheckpoint

/// How a network of sequences keeps the weights of its linear layers.
public enum SequencePrecision: String, Sendable, CaseIterable {
  case float32
  /// Half of the memory; each weight keeps 8 bits of its fraction.
  case bfloat16
  /// A quarter of the memory; each weight is a whole number from -127 to 127 times a factor for each output.
  case int8

  fileprivate var kind: zoo_panel_kind {
    switch self {
    case .float32: ZOO_PANELS_FLOAT32
    case .bfloat16: ZOO_PANELS_BFLOAT16
    case .int8: ZOO_PANELS_INT8
    }
  }
}

/// Packed weights of one or more linear layers that read the same rows; each layer's outputs begin at a multiple of 64.
final class SequencePanels {
  /// A layer's weights [outputs, inputs], or [inputs, outputs] where transposed, and its bias.
  struct Part {
    var weight: FloatTensor
    var isTransposed: Bool
    var bias: FloatTensor?
    var outputs: Int { isTransposed ? weight.shape[1] : weight.shape[0] }
    var inputs: Int { isTransposed ? weight.shape[0] : weight.shape[1] }
  }

  static let block = Int(zoo_panel_outputs)
  static func paddedColumns(_ count: Int) -> Int { (count + block - 1) / block * block }

  let handle: OpaquePointer
  /// As many as the panels' outputs; nil for no bias in any part.
  let bias: [Float]?
  let inputs: Int
  let outputs: Int
  var bytes: Int { Int(zoo_panels_bytes(handle)) + (bias?.count ?? 0) * 4 }

  /// - Throws: ``EngineError``, `FileError`.
  init(_ parts: [Part], precision: SequencePrecision, node: String) throws {
    inputs = parts.first?.inputs ?? 0
    let (whole, overflowed) = parts.reduce((0, false)) { sum, part in
      let (next, over) = sum.0.addingReportingOverflow(Self.paddedColumns(part.outputs))
      return (next, sum.1 || over)
    }
    outputs = whole
    guard inputs > 0, outputs > 0, !overflowed, inputs < 1 << 24, outputs < 1 << 32,
      let handle = zoo_panels_create(Int64(inputs), Int64(outputs), precision.kind)
    else { throw EngineError.kernel(node: node, problem: "there is no memory for its weights") }
    self.handle = handle
    var bias: [Float]? = parts.contains { $0.bias != nil } ? [Float](repeating: 0, count: outputs) : nil
    var first = 0
    do {
      for part in parts {
        try part.weight.withValues {
          zoo_panels_pack(handle, Int64(first), $0.baseAddress, Int64(part.outputs), part.isTransposed ? 1 : 0)
        }
        try part.bias?.withValues { values in
          for (index, value) in values.enumerated() { bias?[first + index] = value }
        }
        first += Self.paddedColumns(part.outputs)
      }
    } catch {
      zoo_panels_destroy(handle)
      throw error
    }
    self.bias = bias
  }

  deinit { zoo_panels_destroy(handle) }
}
