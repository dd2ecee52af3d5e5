import CPNG

/// PNG through libpng: any depth, palette, grayscale, interlaced.
enum PNGDecoder {
  static func decode(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Picture {
    var decoder = zoo_png()
    guard zoo_png_open(&decoder, bytes.baseAddress, bytes.count) == 0 else { throw failure(decoder, name) }
    defer { zoo_png_close(&decoder) }
    let (width, height) = (Int(decoder.width), Int(decoder.height))
    try Picture.checkSize(width: width, height: height, file: name)
    let rgba = UnsafeMutablePointer<UInt8>.allocate(capacity: width * height * 4)
    defer { rgba.deallocate() }
    guard zoo_png_read(&decoder, rgba) == 0 else { throw failure(decoder, name) }
    return Picture.onWhite(width: width, height: height, rgba: rgba)
  }

  static func failure(_ decoder: zoo_png, _ name: String) -> PictureError {
    let problem = withUnsafeBytes(of: decoder.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return .damaged(file: name, format: "PNG", problem: problem)
  }
}
