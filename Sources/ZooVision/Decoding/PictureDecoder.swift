import ZooCheckpoint

extension Picture {
  /// Reads a JPEG, PNG or WebP file; the content decides, not the name.
  ///
  /// EXIF orientation is applied. Transparent pixels are laid on white.
  /// - Throws: ``PictureError``, `FileError`.
  public static func decode(path: String) throws -> Picture {
    let file = try MappedFile(path: path)
    return try file.withBytes(offset: 0, count: file.count) { try decode(bytes: $0, name: path) }
  }

  /// - Parameter name: what errors call it.
  /// - Throws: ``PictureError``.
  public static func decode(bytes: UnsafeRawBufferPointer, name: String) throws -> Picture {
    func starts(_ magic: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + magic.count && bytes[offset..<(offset + magic.count)].elementsEqual(magic)
    }
    if starts([0xFF, 0xD8, 0xFF]) { return try JPEGDecoder.decode(bytes, name: name) }
    if starts([0x89, 0x50, 0x4E, 0x47]) { return try PNGDecoder.decode(bytes, name: name) }
    if starts(Array("RIFF".utf8)), starts(Array("WEBP".utf8), at: 8) {
      return try WebPDecoder.decode(bytes, name: name)
    }
    let others: [(String, Int, [UInt8])] = [
      ("GIF", 0, Array("GIF8".utf8)), ("BMP", 0, Array("BM".utf8)), ("TIFF", 0, [0x49, 0x49, 0x2A, 0]),
      ("TIFF", 0, [0x4D, 0x4D, 0, 0x2A]), ("AVIF", 4, Array("ftypavif".utf8)), ("HEIC", 4, Array("ftypheic".utf8)),
      ("SVG", 0, Array("<svg".utf8)), ("JPEG 2000", 4, Array("jP  ".utf8)),
    ]
    for (format, offset, magic) in others where starts(magic, at: offset) {
      throw PictureError.unsupportedFormat(file: name, format: format)
    }
    throw PictureError.unknownFormat(file: name)
  }

  /// RGBA to RGB over white, rounded as Pillow's `alpha_composite` rounds.
  static func onWhite(width: Int, height: Int, rgba: UnsafePointer<UInt8>) -> Picture {
    let count = width * height
    let pixels = [UInt8](unsafeUninitializedCapacity: count * 3) { buffer, initialized in
      for index in 0..<count {
        let alpha = Int(rgba[index * 4 + 3])
        for channel in 0..<3 {
          let value = Int(rgba[index * 4 + channel])
          buffer[index * 3 + channel] = UInt8((value * alpha + 255 * (255 - alpha) + 127) / 255)
        }
      }
      initialized = count * 3
    }
    return Picture(width: width, height: height, pixels: pixels)
  }
}
