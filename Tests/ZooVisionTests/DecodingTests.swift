import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooVision

@Suite struct DecodingTests {
  @Test func everyKindOfPictureEqualsPillows() throws {
    let expected = try ExpectedPictures.load().decoded
    #expect(expected.count == 40)
    for picture in expected {
      let found = try Picture.decode(path: ExpectedPictures.path(picture.file))
      #expect([found.width, found.height] == [picture.width, picture.height], "\(picture.file)")
      let pixels = try ExpectedPictures.bytes(
        of: "decoded.rgb", offset: picture.offset, count: picture.width * picture.height * 3)
      let difference = try #require(largestDifference(found.pixels, pixels))
      #expect(difference <= picture.tolerance, "\(picture.file) differs by \(difference)")
    }
  }

  @Test func otherFormatsAreRefusedByName() {
    for (file, format) in [("other.gif", "GIF"), ("other.bmp", "BMP"), ("other.tiff", "TIFF")] {
      let path = ExpectedPictures.path(file)
      #expect(throws: PictureError.unsupportedFormat(file: path, format: format)) { try Picture.decode(path: path) }
    }
    for (brand, format) in [("avif", "AVIF"), ("heic", "HEIC")] {
      #expect(throws: PictureError.unsupportedFormat(file: "a", format: format)) {
        try Picture.decode([0, 0, 0, 28] + Array("ftyp\(brand)".utf8), name: "a")
      }
    }
    #expect(throws: PictureError.unknownFormat(file: "a")) { try Picture.decode(Array("no picture".utf8), name: "a") }
    #expect(throws: PictureError.unknownFormat(file: "a")) { try Picture.decode([0xFF], name: "a") }
  }

  @Test func missingFileAndDirectoryAreNamed() {
    #expect(throws: FileError.notFound(file: "/no/such.png")) { try Picture.decode(path: "/no/such.png") }
    #expect(throws: FileError.isDirectory(file: "/")) { try Picture.decode(path: "/") }
  }

  @Test(arguments: ["baseline.jpg", "progressive.jpg", "rgb8.png", "interlaced.png", "lossy.webp", "lossless.webp"])
  func truncatedPicturesAreRefused(file: String) throws {
    let whole = [UInt8](try ExpectedPictures.bytes(of: file))
    for sixteenth in 0..<16 {
      #expect(throws: PictureError.self, "\(file) cut at \(sixteenth)/16") {
        try Picture.decode(Array(whole.prefix(whole.count * sixteenth / 16)))
      }
    }
  }

  @Test func damagedBytesNeverCrash() throws {
    var generator = SeededGenerator(seed: 11)
    for file in [
      "progressive.jpg", "cmyk.jpg", "orientation6.jpg", "palette_transparent.png", "gray16.png", "alpha.webp",
    ] {
      let whole = [UInt8](try ExpectedPictures.bytes(of: file))
      for _ in 0..<60 {
        var damaged = whole
        for _ in 0..<4 {
          damaged[Int(generator.next() % UInt64(whole.count))] = UInt8(truncatingIfNeeded: generator.next())
        }
        do { _ = try Picture.decode(damaged) } catch is PictureError {}
      }
    }
  }

  @Test func randomBytesAfterEachSignatureAreRefused() {
    var generator = SeededGenerator(seed: 5)
    for signature: [UInt8] in [[0xFF, 0xD8, 0xFF], [0x89, 0x50, 0x4E, 0x47], Array("RIFF0000WEBP".utf8)] {
      let noise = (0..<400).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 32) }
      #expect(throws: PictureError.self) { try Picture.decode(signature + noise) }
    }
  }

  @Test func decompressionBombsAreRefusedBeforeMemoryIsAskedFor() throws {
    var png = [UInt8](try ExpectedPictures.bytes(of: "rgb8.png"))
    // Width and height of IHDR, with the checksum that goes with them.
    png.replaceSubrange(16..<24, with: [0, 0, 0x40, 0, 0, 0, 0x40, 0])
    png.replaceSubrange(29..<33, with: bigEndian(crc32(png[12..<29])))
    #expect(throws: PictureError.tooLarge(file: "bomb", width: 16384, height: 16384)) {
      try Picture.decode(png, name: "bomb")
    }
    var jpeg = [UInt8](try ExpectedPictures.bytes(of: "gray.jpg"))
    let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
    #expect(throws: PictureError.tooLarge(file: "bomb", width: 65500, height: 65500)) {
      try Picture.decode(jpeg, name: "bomb")
    }
  }

  @Test func dimensionsBeyondTheDataAreRefused() throws {
    var png = [UInt8](try ExpectedPictures.bytes(of: "rgb8.png"))
    png.replaceSubrange(20..<24, with: [0, 0, 1, 0])
    png.replaceSubrange(29..<33, with: bigEndian(crc32(png[12..<29])))
    #expect(throws: PictureError.self) { try Picture.decode(png) }
  }

  @Test func writtenPNGReadsBackTheSame() throws {
    let picture = try Picture.decode(path: ExpectedPictures.path("rgb8.png"))
    #expect(try Picture.decode(PNGEncoder.encode(picture)) == picture)
  }
}

private func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

private func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
  var crc = UInt32.max
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 {
      let isOdd = crc & 1 == 1
      crc >>= 1
      if isOdd { crc ^= 0xEDB8_8320 }
    }
  }
  return ~crc
}
