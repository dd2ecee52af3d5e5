import Testing
import ZooCheckpoint

@testable import ZooVision

@Suite struct TransformTests {
  @Test func resizedPicturesEqualPillows() throws {
    let expected = try ExpectedPictures.load().resized
    #expect(expected.count == 50)
    for target in expected {
      let source = try Picture.decode(path: ExpectedPictures.path(target.source))
      let found = source.resized(width: target.width, height: target.height, filter: target.filter)
      let pixels = try ExpectedPictures.bytes(
        of: "resized.rgb", offset: target.offset, count: target.width * target.height * 3)
      #expect(
        largestDifference(found.pixels, pixels) == 0,
        "\(target.source) \(target.filter) to \(target.width) × \(target.height)")
    }
  }

  @Test func preparedPicturesEqualTorchvisions() throws {
    let expected = try ExpectedPictures.load().prepared
    #expect(expected.count == 20)
    for target in expected {
      let source = try Picture.decode(path: ExpectedPictures.path(target.source))
      let found = try target.input.apply(source)
      #expect(found.shape == [3] + target.input.size)
      let bytes = try ExpectedPictures.bytes(of: "prepared.f32", offset: target.offset, count: found.count * 4)
      let values = bytes.withUnsafeBytes { raw in
        (0..<found.count).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
      }
      let difference = zip(try found.values(), values).map { abs($0 - $1) }.max() ?? .infinity
      // A level of 255, since Pillow's order of the two passes depends on its version.
      let level = Float(1.0 / 255) / (target.input.std.min() ?? 1)
      #expect(difference < level * 1.01, "\(target.recipe) of \(target.source) differs by \(difference)")
    }
  }

  @Test func windowIsThatPartOfTheWhole() throws {
    let source = try Picture.decode(path: ExpectedPictures.path("source_sharp.png"))
    let whole = source.resized(width: 40, height: 30, filter: .bicubic)
    let window = source.resized(width: 40, height: 30, columns: 7..<29, rows: 4..<25, filter: .bicubic)
    for row in 0..<21 {
      #expect(
        window.pixels[row * 66..<(row + 1) * 66].elementsEqual(
          whole.pixels[((row + 4) * 40 + 7) * 3..<((row + 4) * 40 + 29) * 3]))
    }
  }

  @Test func longThinPictureIsPrepared() throws {
    let line = Picture(width: 1, height: 100_000, pixels: [UInt8](repeating: 200, count: 300_000))
    let input = try Preprocessing(
      json: #"{"size":[8,8],"resize":256,"crop":8,"interpolation":"bicubic","mean":[0,0,0],"std":[1,1,1]}"#)
    #expect(try input.apply(line).values().allSatisfy { abs($0 - 200 / 255) < 1e-6 })
  }

  @Test(arguments: [
    #"{"size":[0,8],"interpolation":"bicubic","mean":[0,0,0],"std":[1,1,1]}"#,
    #"{"size":[8],"interpolation":"bicubic","mean":[0,0,0],"std":[1,1,1]}"#,
    #"{"size":[8,8],"crop":9,"interpolation":"bicubic","mean":[0,0,0],"std":[1,1,1]}"#,
    #"{"size":[8,8],"interpolation":"bicubic","mean":[0,0,0],"std":[1,0,1]}"#,
    #"{"size":[8,99999999],"interpolation":"bilinear","mean":[0,0,0],"std":[1,1,1]}"#,
    #"{"size":[8,8],"interpolation":"magic","mean":[0,0,0],"std":[1,1,1]}"#, "[]", "",
  ])
  func unusablePreprocessingIsRefused(json: String) {
    #expect(throws: PictureError.self) { try Preprocessing(json: json) }
  }
}
