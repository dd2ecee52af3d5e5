import ZooCheckpoint

/// Whether each channel of the reference is the model's channel times a scale plus a shift.
struct ChannelFit {
  private let found: [[Double]]
  private let reference: [[Double]]
  private let scale: Double

  /// Returns nil where a channel has too few values to tell.
  ///
  /// - Parameters: both [N, C, …].
  /// - Throws: ``FileError``.
  init?(_ found: FloatTensor, _ reference: FloatTensor) throws {
    guard found.shape == reference.shape, found.shape.count >= 2 else { return nil }
    let channels = found.shape[1]
    let inner = found.shape.dropFirst(2).reduce(1, *)
    guard channels > 0, found.shape[0] * inner >= 3 else { return nil }
    func split(_ tensor: FloatTensor) throws -> [[Double]] {
      let values = try tensor.values()
      return (0..<channels).map { channel in
        (0..<found.shape[0]).flatMap { row in
          (0..<inner).map { Double(values[(row * channels + channel) * inner + $0]) }
        }
      }
    }
    self.found = try split(found)
    self.reference = try split(reference)
    scale = self.reference.joined().reduce(0) { max($0, abs($1)) }
    guard scale > 0, scale.isFinite else { return nil }
  }

  func explanation(within tolerance: Double) -> (KnownCause.Kind, String, Double)? {
    let shifts = zip(found, reference).map { a, b in zip(a, b).reduce(0) { $0 + $1.1 - $1.0 } / Double(a.count) }
    let afterShift = residual { shifts[$0] + $1 }
    if afterShift <= tolerance {
      let largest = shifts.map(abs).max() ?? 0
      return (
        .missingBias, "bias: the reference adds another one, up to \(Float(largest)) away in a channel", afterShift
      )
    }
    let lines = zip(found, reference).map(Self.line)
    let afterLine = residual { lines[$0].scale * $1 + lines[$0].shift }
    if afterLine <= tolerance {
      return (
        .scaleAndShift,
        "scale and shift: each channel of the reference is this model's times a factor plus a shift, as where a BatchNorm "
          + "is folded in, left out or has other statistics", afterLine
      )
    }
    let remaining = afterReordering()
    return remaining <= tolerance
      ? (.channelPermutation, "channel order: the reference has the same channels in another order", remaining) : nil
  }

  private func residual(_ corrected: (Int, Double) -> Double) -> Double {
    var largest = 0.0
    for channel in found.indices {
      for (a, b) in zip(found[channel], reference[channel]) { largest = max(largest, abs(corrected(channel, a) - b)) }
    }
    return largest.isNaN ? .infinity : largest / scale
  }

  /// The least-squares line through one channel's values.
  private static func line(_ x: [Double], _ y: [Double]) -> (scale: Double, shift: Double) {
    let count = Double(x.count)
    let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
    let spread = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
    let common = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
    let scale = spread > 0 ? common / spread : 0
    return (scale, meanY - scale * meanX)
  }

  private func afterReordering() -> Double {
    let order = { (channels: [[Double]]) in channels.sorted { $0.reduce(0, +) < $1.reduce(0, +) } }
    var largest = 0.0
    for (a, b) in zip(order(found), order(reference)) {
      for (x, y) in zip(a, b) { largest = max(largest, abs(x - y)) }
    }
    return largest.isNaN ? .infinity : largest / scale
  }
}
