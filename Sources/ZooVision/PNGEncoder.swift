import CPNG
import Foundation

/// Writes PNG, for thumbnails and masks.
public enum PNGEncoder {
  /// The bytes of a PNG file; empty only where memory runs out.
  public static func encode(_ picture: Picture) -> [UInt8] {
    var count = 0
    guard let bytes = zoo_png_write(picture.pixels, UInt32(picture.width), UInt32(picture.height), &count) else {
      return []
    }
    defer { free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}
