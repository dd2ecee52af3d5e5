import CLibWebP

/// WebP through libwebp, lossy and lossless; the first picture of an animation is refused.
enum WebPDecoder {
  static func decode(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Picture {
    let source = bytes.bindMemory(to: UInt8.self).baseAddress
    var features = WebPBitstreamFeatures()
    guard WebPGetFeatures(source, bytes.count, &features) == VP8_STATUS_OK else {
      throw PictureError.damaged(file: name, format: "WebP", problem: "its header can't be read")
    }
    guard features.has_animation == 0 else {
      throw PictureError.unsupportedFormat(file: name, format: "an animated WebP")
    }
    let (width, height) = (Int(features.width), Int(features.height))
    try Picture.checkSize(width: width, height: height, file: name)
    let channels = features.has_alpha != 0 ? 4 : 3
    let size = width * height * channels
    var failed = false
    let decoded = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      let stride = Int32(width * channels)
      failed =
        (channels == 4
          ? WebPDecodeRGBAInto(source, bytes.count, buffer.baseAddress, size, stride)
          : WebPDecodeRGBInto(source, bytes.count, buffer.baseAddress, size, stride)) == nil
      initialized = failed ? 0 : size
    }
    if failed { throw PictureError.damaged(file: name, format: "WebP", problem: "its data can't be decoded") }
    guard channels == 4 else { return Picture(width: width, height: height, pixels: decoded) }
    return decoded.withUnsafeBufferPointer { buffer in
      guard let rgba = buffer.baseAddress else { return Picture(width: width, height: height, pixels: []) }
      return Picture.onWhite(width: width, height: height, rgba: rgba)
    }
  }
}
