import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// Sound: spectra and the windows in front of them.
  static let signals: [String: Kernel] = [
    "DFT": { try $0.fourierTransform() },
    "STFT": { try $0.shortTimeTransform() },
    "HannWindow": { try $0.cosineWindow([0.5, -0.5]) },
    "HammingWindow": { try $0.cosineWindow([25.0 / 46, -21.0 / 46]) },
    "BlackmanWindow": { try $0.cosineWindow([0.42, -0.5, 0.08]) },
    "MelWeightMatrix": { try $0.melWeights() },
  ]
}

/// A discrete Fourier transform of any length: by halves where the length is even, else term by term.
private func transform(_ real: [Double], _ imaginary: [Double], sign: Double) -> (real: [Double], imaginary: [Double]) {
  let count = real.count
  if count <= 1 { return (real, imaginary) }
  if count % 2 == 0 {
    func every(_ list: [Double], _ first: Int) -> [Double] { stride(from: first, to: count, by: 2).map { list[$0] } }
    let even = transform(every(real, 0), every(imaginary, 0), sign: sign)
    let odd = transform(every(real, 1), every(imaginary, 1), sign: sign)
    var result = (real: real, imaginary: imaginary)
    for k in 0..<(count / 2) {
      let angle = sign * 2 * .pi * Double(k) / Double(count)
      let (c, s) = (cos(angle), sin(angle))
      let r = odd.real[k] * c - odd.imaginary[k] * s, i = odd.real[k] * s + odd.imaginary[k] * c
      (result.real[k], result.imaginary[k]) = (even.real[k] + r, even.imaginary[k] + i)
      (result.real[k + count / 2], result.imaginary[k + count / 2]) = (even.real[k] - r, even.imaginary[k] - i)
    }
    return result
  }
  var result = (real: [Double](repeating: 0, count: count), imaginary: [Double](repeating: 0, count: count))
  for k in 0..<count {
    for n in 0..<count {
      let angle = sign * 2 * .pi * Double(k * n % count) / Double(count)
      result.real[k] += real[n] * cos(angle) - imaginary[n] * sin(angle)
      result.imaginary[k] += real[n] * sin(angle) + imaginary[n] * cos(angle)
    }
  }
  return result
}

extension KernelCall {
  fileprivate func fourierTransform() throws -> [ONNXValue] {
    let x = try input(0)
    guard x.rank >= 2, let parts = x.shape.last, parts == 1 || parts == 2 else {
      throw ONNXProgramError(.rank(found: x.rank, needed: "2 or more, the last of 1 or 2 parts"))
    }
    let listed = try opset < 20 ? integer("axis", 1) : optional(2)?.integers().first ?? -2
    let axis = try self.axis(listed, rank: x.rank)
    guard axis < x.rank - 1 else { throw ONNXProgramError(.axis(axis, rank: x.rank - 1)) }
    let (isInverse, isOneSided) = (try flag("inverse", false), try flag("onesided", false))
    let given = x.shape[axis]
    // The inverse of half a spectrum has as many real samples as the whole would.
    let length = try optional(1)?.integers().first ?? (isInverse && isOneSided ? max(0, 2 * (given - 1)) : given)
    guard (1...1 << 24).contains(length),
      length >> length.trailingZeroBitCount <= 1 << 12
    else { throw ONNXProgramError(.size(found: length, needed: "1 to 2^24, its odd factor at most 2^12")) }
    let order = (0..<x.rank).filter { $0 != axis && $0 != x.rank - 1 } + [axis, x.rank - 1]
    let values = try transposed(x, order).doubles()
    let rows = given == 0 ? 0 : values.count / (given * parts)
    let kept = isOneSided && !isInverse ? length / 2 + 1 : length
    let givesReal = isOneSided && isInverse
    var result: [Double] = []
    var shape = order.map { x.shape[$0] }
    shape[x.rank - 2] = kept
    shape[x.rank - 1] = givesReal ? 1 : 2
    result.reserveCapacity(try count(shape))
    for row in 0..<rows {
      var (real, imaginary) = ([Double](repeating: 0, count: length), [Double](repeating: 0, count: length))
      for index in 0..<min(given, length) {
        real[index] = values[(row * given + index) * parts]
        if parts == 2 { imaginary[index] = values[(row * given + index) * parts + 1] }
      }
      if givesReal, length > 1 {
        // The other half mirrors the given one.
        for index in (length / 2 + 1)..<max(length, length / 2 + 1) {
          (real[index], imaginary[index]) = (real[length - index], -imaginary[length - index])
        }
      }
      let spectrum = transform(real, imaginary, sign: isInverse ? 1 : -1)
      let scale = isInverse ? 1 / Double(length) : 1
      for index in 0..<kept {
        result.append(spectrum.real[index] * scale)
        if !givesReal { result.append(spectrum.imaginary[index] * scale) }
      }
    }
    let back = (0..<x.rank).map { axis in order.firstIndex(of: axis) ?? axis }
    return [try transposed(ONNXValue(shape: shape, result), back).cast(to: dtype(of: x))]
  }

  fileprivate func shortTimeTransform() throws -> [ONNXValue] {
    let signal = try input(0)
    let step = try integerScalar(1)
    let window = try optional(2)?.doubles()
    let length = try optional(3)?.integers().first ?? window?.count ?? 0
    guard signal.rank >= 2, (1...1 << 24).contains(length), length >> length.trailingZeroBitCount <= 1 << 12,
      (1...1 << 40).contains(step), signal.shape[1] >= length, window.map({ $0.count == length }) ?? true
    else { throw ONNXProgramError(.size(found: length, needed: "a frame within the signal")) }
    let parts = signal.rank == 3 ? signal.shape[2] : 1
    guard parts == 1 || parts == 2 else { throw ONNXProgramError(.size(found: parts, needed: "1 or 2 parts")) }
    let frames = (signal.shape[1] - length) / step + 1
    let kept = try flag("onesided", true) ? length / 2 + 1 : length
    let shape = [signal.shape[0], frames, kept, 2]
    var result: [Double] = []
    result.reserveCapacity(try count(shape))
    let values = try signal.doubles()
    for row in 0..<signal.shape[0] {
      for frame in 0..<frames {
        let start = (row * signal.shape[1] + frame * step) * parts
        let real = (0..<length).map { values[start + $0 * parts] * (window?[$0] ?? 1) }
        let imaginary = (0..<length).map { parts == 2 ? values[start + $0 * 2 + 1] * (window?[$0] ?? 1) : 0 }
        let spectrum = transform(real, imaginary, sign: -1)
        for index in 0..<kept { result += [spectrum.real[index], spectrum.imaginary[index]] }
      }
    }
    return [try ONNXValue(shape: shape, result).cast(to: dtype(of: signal))]
  }

  /// A sum of cosines over the window's length.
  fileprivate func cosineWindow(_ factors: [Double]) throws -> [ONNXValue] {
    let size = try integerScalar(0)
    let count = try self.count([max(0, size)])
    let period = Double(try flag("periodic", true) ? size : size - 1)
    let values = (0..<count).map { (index: Int) -> Double in
      var sum = 0.0
      for (order, factor) in factors.enumerated() {
        sum += factor * cos(2 * Double.pi * Double(order * index) / period)
      }
      return sum
    }
    return [try ONNXValue(shape: [count], values).cast(to: dtype("output_datatype") ?? .float32)]
  }

  fileprivate func melWeights() throws -> [ONNXValue] {
    let (bands, length, rate) = (try integerScalar(0), try integerScalar(1), try scalar(2))
    let (low, high) = (try scalar(3), try scalar(4))
    guard (1...1 << 20).contains(bands), (0...1 << 24).contains(length) else {
      throw ONNXProgramError(.size(found: bands, needed: "1 or more bands"))
    }
    let bins = length / 2 + 1
    func mel(_ hertz: Double) -> Double { 2595 * log10(1 + hertz / 700) }
    let step = (mel(high) - mel(low)) / Double(bands + 2)
    let edges = (0..<(bands + 2)).map { index -> Int in
      let hertz = 700 * (pow(10, (mel(low) + Double(index) * step) / 2595) - 1)
      return Int(saturating: (Double(length + 1) * hertz / rate).rounded(.down))
    }
    var values = [Double](repeating: 0, count: try count([bins, bands]))
    for band in 0..<bands {
      let (first, centre, last) = (edges[band], edges[band + 1], edges[band + 2])
      guard first >= 0, first <= centre, centre <= last, last <= bins else {
        throw ONNXProgramError(.index(last, size: bins))
      }
      if centre == first {
        if centre < bins { values[centre * bands + band] = 1 }
      } else {
        for bin in first..<min(centre + 1, bins) {
          values[bin * bands + band] = Double(bin - first) / Double(centre - first)
        }
      }
      if last > centre {
        for bin in centre..<last { values[bin * bands + band] = Double(last - bin) / Double(last - centre) }
      }
    }
    return [try ONNXValue(shape: [bins, bands], values).cast(to: dtype("output_datatype") ?? .float32)]
  }
}
