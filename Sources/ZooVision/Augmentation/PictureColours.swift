/// Changes of colour, each as `torchvision.transforms.v2.functional` makes it of 8-bit pictures.
extension Picture {
  /// Towards black below 1.
  func brightened(by factor: Double) -> Picture { blended(factor) { _ in 0 } }

  /// Towards the mean gray below 1.
  func contrasted(by factor: Double) -> Picture {
    var sum = 0.0
    for start in stride(from: 0, to: pixels.count, by: 3) { sum += Double(Int(gray(start))) }
    let mean = Float(sum / Double(max(width * height, 1)))
    return blended(factor) { _ in mean }
  }

  /// Towards gray below 1.
  func saturated(by factor: Double) -> Picture { blended(factor) { Float(Int(gray($0))) } }

  /// Luma of the pixel whose red stands at `start`.
  private func gray(_ start: Int) -> Float {
    0.2989 * Float(pixels[start]) + 0.587 * Float(pixels[start + 1]) + 0.114 * Float(pixels[start + 2])
  }

  /// - Parameter other: what factor 0 gives for the pixel whose red stands at that place.
  private func blended(_ factor: Double, with other: (_ start: Int) -> Float) -> Picture {
    var result = pixels
    let (share, rest) = (Float(factor), Float(1 - factor))
    for start in stride(from: 0, to: pixels.count, by: 3) {
      let base = other(start) * rest
      for index in start..<start + 3 { result[index] = UInt8(min(max(share * Float(pixels[index]) + base, 0), 255)) }
    }
    return Picture(width: width, height: height, pixels: result)
  }

  /// Turns hues around the circle; 0.5 is half of it.
  func hueShifted(by shift: Double) -> Picture {
    guard shift != 0 else { return self }
    return mapPixels { Self.shiftHue($0, by: Float(shift)) }
  }

  private static func shiftHue(_ colour: SIMD3<Float>, by shift: Float) -> SIMD3<Float> {
    let (highest, lowest) = (colour.max(), colour.min())
    let range = highest - lowest
    guard range > 0 else { return colour }
    let distance = (SIMD3(repeating: highest) - colour) / range
    var hue: Float
    if colour.x == highest {
      hue = distance.z - distance.y
    } else if colour.y == highest {
      hue = 2 + distance.x - distance.z
    } else {
      hue = 4 + distance.y - distance.x
    }
    hue = hue / 6 + 1 + shift
    hue -= hue.rounded(.down)
    let saturation = range / highest
    let sector = (hue * 6).rounded(.down)
    let within = hue * 6 - sector
    let p = highest * (1 - saturation)
    let q = highest * (1 - saturation * within)
    let t = highest * (1 - saturation * (1 - within))
    switch Int(sector) % 6 {
    case 0: return [highest, t, p]
    case 1: return [q, highest, p]
    case 2: return [p, highest, t]
    case 3: return [p, q, highest]
    case 4: return [t, p, highest]
    default: return [highest, p, q]
    }
  }

  /// - Parameter change: of red, green and blue from 0 to 1.
  private func mapPixels(_ change: (SIMD3<Float>) -> SIMD3<Float>) -> Picture {
    var result = pixels
    for start in stride(from: 0, to: pixels.count, by: 3) {
      let colour = SIMD3(Float(pixels[start]), Float(pixels[start + 1]), Float(pixels[start + 2])) / 255
      let changed = change(colour)
      // As torchvision turns floats into bytes.
      for index in 0..<3 { result[start + index] = UInt8(min(max(changed[index] * (256 - 1e-3), 0), 255)) }
    }
    return Picture(width: width, height: height, pixels: result)
  }

  /// Keeps the highest bits.
  func posterized(bits: Int) -> Picture {
    let mask = bits <= 0 ? 0 : UInt8(truncatingIfNeeded: 0xFF << (8 - min(bits, 8)))
    return Picture(width: width, height: height, pixels: pixels.map { $0 & mask })
  }

  /// Turns what is as bright as `threshold` around.
  func solarized(threshold: Double) -> Picture {
    Picture(width: width, height: height, pixels: pixels.map { Double($0) >= threshold ? 255 - $0 : $0 })
  }

  /// Stretches each channel over all brightnesses.
  func autocontrasted() -> Picture {
    mapChannels { values in
      guard let low = values.min(), let high = values.max(), low < high else { return values }
      let scale = 255 / Float(high - low)
      return values.map { UInt8(min(max((Float($0) - Float(low)) * scale, 0), 255)) }
    }
  }

  /// Spreads each channel's histogram evenly, as Pillow does.
  func equalized() -> Picture {
    mapChannels { values in
      var histogram = [Int](repeating: 0, count: 256)
      for value in values { histogram[Int(value)] += 1 }
      let last = histogram.last { $0 > 0 } ?? 0
      let step = (values.count - last) / 255
      guard step > 0 else { return values }
      var (table, sum) = ([UInt8](repeating: 0, count: 256), step / 2)
      for value in 0..<256 {
        table[value] = UInt8(min(sum / step, 255))
        sum += histogram[value]
      }
      return values.map { table[Int($0)] }
    }
  }

  private func mapChannels(_ change: ([UInt8]) -> [UInt8]) -> Picture {
    var result = pixels
    for channel in 0..<3 {
      let places = stride(from: channel, to: pixels.count, by: 3)
      for (place, value) in zip(places, change(places.map { pixels[$0] })) { result[place] = value }
    }
    return Picture(width: width, height: height, pixels: result)
  }

  /// Away from its blurred self above 1; the outermost pixels stay.
  func sharpened(by factor: Double) -> Picture {
    guard width > 2, height > 2 else { return self }
    var result = pixels
    let (rest, row) = (Float(1 - factor), width * 3)
    for y in 1..<height - 1 {
      for index in y * row + 3..<(y + 1) * row - 3 {
        var sum = 0
        for line in [index - row, index, index + row] {
          sum += Int(pixels[line - 3]) + Int(pixels[line]) + Int(pixels[line + 3])
        }
        let value = Float(pixels[index])
        let blurred = ((Float(sum) + 4 * Float(pixels[index])) / 13).rounded(.toNearestOrEven)
        result[index] = UInt8(min(max(value + (blurred - value) * rest, 0), 255))
      }
    }
    return Picture(width: width, height: height, pixels: result)
  }
}
