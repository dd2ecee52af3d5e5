import Foundation
import TestSupport
import Testing

@testable import ZooVision

@Suite struct ClassMaskTests {
  /// Of the VOC development kit: aeroplane, bicycle, person and tvmonitor.
  @Test func coloursAreThoseOfTheChallenge() {
    func colour(_ index: Int) -> [UInt8] { Array(ClassMask.palette[index * 3..<index * 3 + 3]) }
    #expect(ClassMask.palette.count == 768)
    #expect(colour(0) == [0, 0, 0])
    #expect(colour(1) == [128, 0, 0])
    #expect(colour(2) == [0, 128, 0])
    #expect(colour(15) == [192, 128, 128])
    #expect(colour(20) == [0, 64, 128])
    #expect(colour(255) == [224, 224, 192])
  }

  @Test func aMaskIsWrittenWithItsPalette() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let mask = ClassMask(width: 3, height: 2, classes: [0, 1, 2, 15, 20, 255])
    let bytes = PNGEncoder.encode(mask)
    // The header's colour type: 3, indexed.
    #expect(bytes[25] == 3)
    try Data(bytes).write(to: URL(filePath: directory.file("mask.png")))
    let read = try Picture.decode(path: directory.file("mask.png"))
    #expect(read.pixels == mask.classes.flatMap { ClassMask.palette[Int($0) * 3..<Int($0) * 3 + 3] })
  }

  @Test func resizingTakesTheNearestClass() {
    let mask = ClassMask(width: 2, height: 2, classes: [1, 2, 3, 4])
    #expect(mask.resized(width: 4, height: 2).classes == [1, 1, 2, 2, 3, 3, 4, 4])
    #expect(mask.resized(width: 1, height: 1).classes == [4])
    #expect(mask.resized(width: 2, height: 2) == mask)
  }

  @Test func theOverlayLeavesTheBackgroundAlone() {
    let picture = Picture(width: 2, height: 1, pixels: [10, 20, 30, 100, 100, 100])
    let shown = ClassMask(width: 2, height: 1, classes: [0, 1]).laid(over: picture)
    #expect(shown.pixels == [10, 20, 30, 114, 50, 50])
  }
}
