import CPNG
import ZooCheckpoint

extension ClassMask {
  /// The class of pixels that nothing is said of, as Pascal VOC and torchvision have it.
  public static let ignored: UInt8 = 255

  /// Reads a PNG file whose gray values or palette indices are numbers of classes; of a palette the colours say nothing.
  ///
  /// - Throws: ``PictureError``, `FileError`.
  public static func decode(path: String) throws -> ClassMask {
    let file = try MappedFile(path: path)
    return try file.withBytes(offset: 0, count: file.count) { try decode($0, name: path) }
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer, name: String) throws -> ClassMask {
    guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) else { throw PictureError.noMask(file: name, .notPNG) }
    var decoder = zoo_png()
    guard zoo_png_open(&decoder, bytes.baseAddress, bytes.count) == 0 else {
      throw PNGDecoder.failure(decoder, name)
    }
    defer { zoo_png_close(&decoder) }
    let (width, height) = (Int(decoder.width), Int(decoder.height))
    try Picture.checkSize(width: width, height: height, file: name)
    guard decoder.is_single == 1 else { throw PictureError.noMask(file: name, .colours) }
    let count = width * height
    let numbers = UnsafeMutablePointer<UInt8>.allocate(capacity: count * 2)
    defer { numbers.deallocate() }
    guard zoo_png_read_numbers(&decoder, numbers) == 0 else { throw PNGDecoder.failure(decoder, name) }
    let classes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      for index in 0..<count {
        guard numbers[index * 2] == 0 else {
          let number = Int(numbers[index * 2]) << 8 | Int(numbers[index * 2 + 1])
          throw PictureError.noMask(file: name, .beyond(number: number, x: index % width, y: index / width))
        }
        buffer[index] = numbers[index * 2 + 1]
      }
      initialized = count
    }
    return ClassMask(width: width, height: height, classes: classes)
  }
}
