import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooVision

@Suite struct AugmentationTests {
  /// What `make_augmentation.py` recorded of torchvision.
  private struct Recording: Decodable {
    struct Change: Decodable {
      let name: String
      let strength: Double
      let pixels: Data
    }
    struct Hue: Decodable {
      let shift: Double
      let pixels: Data
    }
    let width: Int
    let height: Int
    let pixels: Data
    let changes: [Change]
    let hues: [Hue]
    let crop: Data

    var picture: Picture { Picture(width: width, height: height, pixels: [UInt8](pixels)) }
  }

  private func recording() throws -> Recording {
    try JSONDecoder().decode(
      Recording.self, from: Data(contentsOf: URL(filePath: Fixture.path("vision/augmentation.json"))))
  }

  /// - Parameter most: values of 1,782 that may differ, by one: torch rounds sums of products elsewhere.
  private func expectSame(_ found: Picture, _ expected: Data, _ what: String, most: Int = 0) {
    let differences = zip(found.pixels, expected).map { abs(Int($0) - Int($1)) }
    #expect(found.pixels.count == expected.count, "\(what)")
    #expect(differences.allSatisfy { $0 <= 1 } && differences.count { $0 > 0 } <= most, "\(what): \(differences)")
  }

  @Test func everyChangeIsTorchvisions() throws {
    let recording = try recording()
    #expect(Set(recording.changes.map(\.name)).count == AugmentationOperation.allCases.count - 1)
    for change in recording.changes {
      let operation = try #require(AugmentationOperation(rawValue: change.name))
      expectSame(
        operation.apply(to: recording.picture, strength: change.strength), change.pixels,
        "\(change.name) \(change.strength)", most: ["colour", "sharpness"].contains(change.name) ? 40 : 3)
    }
    for hue in recording.hues {
      expectSame(recording.picture.hueShifted(by: hue.shift), hue.pixels, "hue \(hue.shift)", most: 10)
    }
    expectSame(
      recording.picture.cropped(
        CropWindow(top: 2, left: 5, height: 15, width: 18), resizedTo: (8, 8), filter: .bilinear),
      recording.crop, "crop", most: 3)
  }

  private static let preprocessing = Preprocessing(
    size: [16, 16], resize: 18, crop: 16, interpolation: .bilinear, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25])

  @Test func theSeedDecidesEverything() throws {
    let augmenter = try Augmenter(
      Augmentation(parsing: "standard,rotate,jitter,randaugment,erase=1"), preprocessing: Self.preprocessing)
    let picture = try recording().picture
    let first = try augmenter.apply(picture, seed: 7)
    #expect(first.shape == [3, 16, 16])
    #expect(try augmenter.apply(picture, seed: 7).values() == first.values())
    #expect(try augmenter.apply(picture, seed: 8).values() != first.values())
    #expect(try first.values().count { $0 == 0 } > 15)
  }

  @Test func nothingChangesWhereNothingIsAsked() throws {
    let picture = try recording().picture
    let augmenter = try Augmenter(Augmentation(), preprocessing: Self.preprocessing)
    #expect(try augmenter.apply(picture, seed: 1).values() == Self.preprocessing.apply(picture).values())
  }

  @Test func windowsLieInsideAndHaveTheAreasAskedFor() {
    var random = SeededGenerator(seed: 1)
    var areas: [Double] = []
    for _ in 0..<500 {
      let window = CropWindow.random(width: 100, height: 60, least: 0.3, using: &random)
      #expect(window.top >= 0 && window.left >= 0 && window.top + window.height <= 60)
      #expect(window.left + window.width <= 100)
      areas.append(Double(window.width * window.height) / 6000)
    }
    #expect(areas.min() ?? 0 > 0.28 && areas.min() ?? 1 < 0.4 && areas.max() ?? 0 > 0.7)
    let narrow = CropWindow.random(width: 1000, height: 10, least: 1, using: &random)
    #expect(narrow == CropWindow(top: 0, left: 493, height: 10, width: 13))
  }

  @Test func listsOfAugmentationsAreRead() throws {
    let read = try Augmentation(parsing: "crop=0.5,flip=0.1,rotate=5,jitter=0.4:0.3,randaugment=3,erase")
    #expect(read.crop == 0.5 && read.flip == 0.1 && read.rotation == 5 && read.erasing == 0.25)
    #expect(read.jitter == .init(brightness: 0.4, contrast: 0.3, saturation: 0.4, hue: 0.1))
    #expect(read.randAugment == .init(operations: 3, magnitude: 9))
    #expect(throws: AugmentationError.unknown(item: "blur")) { try Augmentation(parsing: "flip,blur=2") }
    for item in ["flip=2", "crop=x", "rotate=-1", "jitter=0.1:9"] {
      #expect(throws: AugmentationError.badNumber(item: item)) { try Augmentation(parsing: item) }
    }
  }
}
