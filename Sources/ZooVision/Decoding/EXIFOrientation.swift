/// The orientation tag (0x0112) of a JPEG's EXIF segment, from 1 (upright) to 8 (EXIF 2.3, section 4.6.4).
enum EXIFOrientation {
  static func find(in bytes: UnsafeRawBufferPointer) -> Int {
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xFF {
      let marker = bytes[position + 1]
      if marker == 0xDA || marker == 0xD9 { break }
      let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
      guard length >= 2, position + 2 + length <= bytes.count else { break }
      if marker == 0xE1, length >= 16 {
        let segment = UnsafeRawBufferPointer(rebasing: bytes[(position + 4)..<(position + 2 + length)])
        if segment.prefix(6).elementsEqual([0x45, 0x78, 0x69, 0x66, 0, 0]) {
          return orientation(UnsafeRawBufferPointer(rebasing: segment[6...]))
        }
      }
      position += 2 + length
    }
    return 1
  }

  private static func orientation(_ tiff: UnsafeRawBufferPointer) -> Int {
    guard tiff.count >= 8 else { return 1 }
    let isLittle = tiff[0] == 0x49
    func word(_ offset: Int) -> Int {
      let (a, b) = (Int(tiff[offset]), Int(tiff[offset + 1]))
      return isLittle ? b << 8 | a : a << 8 | b
    }
    func long(_ offset: Int) -> Int {
      isLittle ? word(offset + 2) << 16 | word(offset) : word(offset) << 16 | word(offset + 2)
    }
    let directory = long(4)
    guard directory + 2 <= tiff.count else { return 1 }
    for entry in 0..<word(directory) {
      let offset = directory + 2 + entry * 12
      guard offset + 12 <= tiff.count else { break }
      if word(offset) == 0x0112 {
        let value = word(offset + 8)
        return (1...8).contains(value) ? value : 1
      }
    }
    return 1
  }
}

extension Picture {
  /// The picture as it is meant to be seen.
  func oriented(by orientation: Int) -> Picture {
    guard orientation != 1 else { return self }
    let swaps = orientation >= 5
    let (newWidth, newHeight) = swaps ? (height, width) : (width, height)
    var turned = [UInt8](repeating: 0, count: pixels.count)
    for y in 0..<newHeight {
      for x in 0..<newWidth {
        let (fromX, fromY) =
          switch orientation {
          case 2: (width - 1 - x, y)
          case 3: (width - 1 - x, height - 1 - y)
          case 4: (x, height - 1 - y)
          case 5: (y, x)
          case 6: (y, height - 1 - x)
          case 7: (width - 1 - y, height - 1 - x)
          default: (width - 1 - y, x)
          }
        for channel in 0..<3 {
          turned[(y * newWidth + x) * 3 + channel] = pixels[(fromY * width + fromX) * 3 + channel]
        }
      }
    }
    return Picture(width: newWidth, height: newHeight, pixels: turned)
  }
}
