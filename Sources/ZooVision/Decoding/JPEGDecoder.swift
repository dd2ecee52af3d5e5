import CTurboJPEG

/// JPEG through libjpeg-turbo, with the accurate transform and smooth upsampling that Pillow uses.
enum JPEGDecoder {
  static func decode(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Picture {
    guard let handle = tjInitDecompress() else {
      throw PictureError.damaged(file: name, format: "JPEG", problem: "the decoder can't start")
    }
    defer { tjDestroy(handle) }
    func failure() -> PictureError {
      .damaged(file: name, format: "JPEG", problem: String(cString: tjGetErrorStr2(handle)))
    }
    let source = bytes.bindMemory(to: UInt8.self).baseAddress
    var (width, height, subsampling, colours) = (Int32(0), Int32(0), Int32(0), Int32(0))
    let status = tjDecompressHeader3(handle, source, UInt(bytes.count), &width, &height, &subsampling, &colours)
    // An uncommon subsampling has no name in this interface, but its pixels can be had.
    guard status == 0 || (width > 0 && height > 0 && subsampling < 0) else { throw failure() }
    try Picture.checkSize(width: Int(width), height: Int(height), file: name)
    let isCMYK = colours == Int32(TJCS_CMYK.rawValue) || colours == Int32(TJCS_YCCK.rawValue)
    let format = isCMYK ? Int32(TJPF_CMYK.rawValue) : Int32(TJPF_RGB.rawValue)
    let channels = isCMYK ? 4 : 3
    let size = Int(width) * Int(height)
    var failed = false
    let decoded = [UInt8](unsafeUninitializedCapacity: size * channels) { buffer, initialized in
      failed =
        tjDecompress2(
          handle, source, UInt(bytes.count), buffer.baseAddress, width, 0, height, format,
          Int32(TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)) != 0 && !isHarmless(handle, bytes)
      initialized = size * channels
    }
    if failed { throw failure() }
    let pixels = isCMYK ? fromCMYK(decoded) : decoded
    return Picture(width: Int(width), height: Int(height), pixels: pixels)
      .oriented(by: EXIFOrientation.find(in: bytes))
  }

  /// Whether the decoder only warned, of a file that has its end: such pictures are common, and Pillow reads them too.
  private static func isHarmless(_ handle: tjhandle, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue),
      !String(cString: tjGetErrorStr2(handle)).hasPrefix("Premature end")
    else { return false }
    return bytes.indices.dropFirst().reversed().contains { bytes[$0] == 0xD9 && bytes[$0 - 1] == 0xFF }
  }

  /// Adobe stores CMYK inverted, so 255 is no ink; the product is what Pillow's conversion to RGB gives.
  private static func fromCMYK(_ cmyk: [UInt8]) -> [UInt8] {
    var pixels = [UInt8](repeating: 0, count: cmyk.count / 4 * 3)
    for index in 0..<cmyk.count / 4 {
      let black = Int(cmyk[index * 4 + 3])
      for channel in 0..<3 {
        let product = Int(cmyk[index * 4 + channel]) * black + 128
        pixels[index * 3 + channel] = UInt8((product + product >> 8) >> 8)
      }
    }
    return pixels
  }
}
