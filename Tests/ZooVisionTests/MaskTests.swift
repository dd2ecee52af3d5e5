import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooVision

@Suite struct MaskTests {
  private func path(_ name: String) -> String { Fixture.path("pixel_training/masks/\(name).png") }

  /// As `make_pixel_training.py` numbers pixels.
  private func numbers(below count: Int) -> ClassMask {
    ClassMask(width: 13, height: 9, classes: (0..<117).map { UInt8((3 * ($0 % 13) + 5 * ($0 / 13)) % count) })
  }

  @Test(arguments: [
    ("palette-16", 16), ("palette-2", 2), ("palette-256", 256), ("gray-256", 256), ("gray-2", 2), ("wide-200", 200),
  ])
  func numbersComeBackWhateverTheirColours(name: String, count: Int) throws {
    #expect(try ClassMask.decode(path: path(name)) == numbers(below: count))
  }

  @Test func whatIsNoMaskIsRefused() throws {
    for name in ["colours", "alpha"] {
      #expect(throws: PictureError.noMask(file: path(name), .colours)) { try ClassMask.decode(path: path(name)) }
    }
    // 9 (3x + 5y) is beyond 255 from x = 10 on in the first row.
    #expect(throws: PictureError.noMask(file: path("beyond"), .beyond(number: 270, x: 10, y: 0))) {
      try ClassMask.decode(path: path("beyond"))
    }
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let file = directory.file("mask.png")
    try Data("no picture".utf8).write(to: URL(filePath: file))
    #expect(throws: PictureError.noMask(file: file, .notPNG)) { try ClassMask.decode(path: file) }
    let whole = try Data(contentsOf: URL(filePath: path("gray-256")))
    for count in [8, 20, whole.count - 30] {
      try whole.prefix(count).write(to: URL(filePath: file))
      #expect(throws: PictureError.self) { try ClassMask.decode(path: file) }
    }
  }

  /// Every pixel's red is its class: wherever the picture's content goes, the mask's must go too.
  @Test(arguments: ["", "flip=1", "crop=0.3", "rotate=40", "standard,rotate=20"])
  func maskAndPictureMoveTogether(changes: String) throws {
    let (width, height) = (48, 36)
    let classes = (0..<width * height).map { UInt8(($0 % width / 12 + $0 / width / 12 * 4) * 20) }
    let picture = Picture(width: width, height: height, pixels: classes.flatMap { [$0, $0, $0] })
    let mask = ClassMask(width: width, height: height, classes: classes)
    let augmentation = try Augmentation(parsing: changes)
    let preprocessing = Preprocessing(
      size: [24, 24], resize: nil, crop: nil, interpolation: .nearest, mean: [0, 0, 0], std: [1, 1, 1])
    var (together, all, outside) = (0, 0, 0)
    for seed in 0..<40 {
      let made = try Augmenter(augmentation, preprocessing: preprocessing).apply(picture, mask, seed: UInt64(seed))
      #expect(made.input.shape == [3, 24, 24] && made.mask.width == 24 && made.mask.height == 24)
      let shades = try made.input.values()
      for (index, number) in made.mask.classes.enumerated() {
        if number == ClassMask.ignored {
          outside += 1
          continue
        }
        all += 1
        together += abs(shades[index] * 255 - Float(number)) < 1 ? 1 : 0
      }
    }
    #expect(together == all, "\(together) of \(all)")
    #expect(all > 0 && (outside > 0) == changes.contains("rotate"))
  }

  /// Where RandAugment moves the picture, the mask goes along; where it changes colours alone, the mask stays.
  @Test(arguments: AugmentationOperation.allCases, [-1.0, 1]) func randAugmentMovesMasksAlong(
    operation: AugmentationOperation, sign: Double
  ) throws {
    let classes: [UInt8] = (0..<600).map { index in
      let (column, row) = (index % 25, index / 25)
      return UInt8(column / 6 + row / 6 * 5 + 1)
    }
    let mask = ClassMask(width: 25, height: 24, classes: classes)
    let picture = Picture(width: 25, height: 24, pixels: classes.flatMap { [$0, $0, $0] })
    let reach: Double = operation == .rotate ? 20 : operation.rawValue.hasPrefix("translate") ? 7 : 0.2
    let strength = sign * reach
    let isGeometry = ["shear", "translate", "rotate"].contains { operation.rawValue.hasPrefix($0) }
    guard isGeometry else { return #expect(operation.map(strength, for: picture) == nil) }
    let map = try #require(operation.map(strength, for: picture))
    let (moved, changed) = (mask.transformed(map), operation.apply(to: picture, strength: strength))
    #expect(moved != mask && moved.classes.contains(ClassMask.ignored))
    for (index, number) in moved.classes.enumerated() {
      #expect(changed.pixels[index * 3] == (number == ClassMask.ignored ? 0 : number))
    }
  }

  @Test func theSameSeedGivesTheSameWithAndWithoutAMask() throws {
    let picture = Picture(width: 20, height: 20, pixels: (0..<1200).map { UInt8($0 % 251) })
    let mask = ClassMask(width: 20, height: 20, classes: [UInt8](repeating: 1, count: 400))
    let preprocessing = Preprocessing(
      size: [16, 16], resize: nil, crop: nil, interpolation: .bilinear, mean: [0, 0, 0], std: [1, 1, 1])
    let augmenter = try Augmenter(
      Augmentation(parsing: "standard,rotate,jitter,randaugment,erase=1"), preprocessing: preprocessing)
    for seed in 0..<10 as Range<UInt64> {
      let made = try augmenter.apply(picture, mask, seed: seed).input.values()
      #expect(try augmenter.apply(picture, seed: seed).values() == made)
    }
  }

  @Test func aPartOfTheNetworksShapeIsShownAnywhere() throws {
    let preprocessing = Preprocessing(
      size: [4, 4], resize: nil, crop: nil, interpolation: .nearest, mean: [0, 0, 0], std: [1, 1, 1])
    let columns = (0..<40).map { UInt8($0 % 10) }
    let mask = ClassMask(width: 10, height: 4, classes: columns)
    let picture = Picture(width: 10, height: 4, pixels: columns.flatMap { [$0, $0, $0] })
    let augmenter = try Augmenter(Augmentation(), preprocessing: preprocessing)
    let firsts = try (0..<100 as Range<UInt64>).map { seed in
      let made = try augmenter.apply(picture, mask, seed: seed).mask.classes
      #expect(made.prefix(4).elementsEqual(made[0]..<made[0] + 4))
      return made[0]
    }
    #expect(Set(firsts) == Set(0...6))
  }
}
