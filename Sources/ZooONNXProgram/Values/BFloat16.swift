/// The upper half of a float32.
struct BFloat16: Sendable, BitwiseCopyable, Equatable {
  var bits: UInt16

  static var zero: BFloat16 { BFloat16(bits: 0) }

  init(bits: UInt16) { self.bits = bits }

  /// Rounds to the nearest, ties to even.
  init(_ value: Float) {
    guard !value.isNaN else {
      bits = UInt16(truncatingIfNeeded: value.bitPattern >> 16) | 0x40
      return
    }
    let pattern = value.bitPattern
    bits = UInt16(truncatingIfNeeded: (pattern &+ 0x7FFF &+ ((pattern >> 16) & 1)) >> 16)
  }

  var float: Float { Float(bitPattern: UInt32(bits) << 16) }
}
