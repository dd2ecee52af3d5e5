import CPNG
import Foundation

/// Writes PNG, for thumbnails and masks.
public enum PNGEncoder {
  /// The bytes of a PNG file; empty only where memory runs out.
  public static func encode(_ picture: Picture) -> [UInt8] {
    var count = 0
    return taking(zoo_png_write(picture.pixels, UInt32(picture.width), UInt32(picture.height), &count), count)
  }

  /// A PNG file whose pixels are the mask's classes, coloured by ``ClassMask/palette``; empty only where memory runs out.
  public static func encode(_ mask: ClassMask) -> [UInt8] {
    var count = 0
    let bytes = zoo_png_write_indexed(
      mask.classes, ClassMask.palette, 256, UInt32(mask.width), UInt32(mask.height), &count)
    return taking(bytes, count)
  }

  private static func taking(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: @autoclosure () -> Int) -> [UInt8] {
    guard let bytes else { return [] }
    defer { free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count()))
  }
}
