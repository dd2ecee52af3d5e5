import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooVision

@testable import ZooInference

@Suite struct SegmenterTests {
  /// A network of `make_segmentation.py` as a checkpoint, and what torchvision says of its picture.
  private func withCheckpoint(_ name: String, _ body: (String, StateDict) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = directory.file("network.safetensors")
    try body(path, try SegmentationNetwork.write(name, to: path))
  }

  @Test(arguments: ["fcn", "deeplabv3", "lraspp"])
  func masksEqualTorchvisions(_ name: String) throws {
    try withCheckpoint(name) { path, expected in
      let segmenter = try Segmenter(LoadedModel(path: path), threads: 1)
      let picture = try Picture.decode(path: Fixture.path("segmentation/picture.png"))
      let found = try segmenter.segment(picture)
      #expect(found.mask.width == picture.width && found.mask.height == picture.height)
      let mask = try #require(expected["mask"])
      let wanted = ClassMask(
        width: mask.shape[1], height: mask.shape[0], classes: try mask.floats().map { UInt8($0) }
      ).resized(width: picture.width, height: picture.height)
      let differing = zip(found.mask.classes, wanted.classes).filter { $0 != $1 }.count
      // Pictures differ by a level in 255, which turns pixels between two classes alone.
      #expect(differing * 100 <= wanted.classes.count, "\(differing) pixels differ")
      #expect(Set(wanted.classes).count >= 2)
      let shares = found.shares
      #expect(abs(shares.reduce(0) { $0 + $1.share } - 1) < 1e-9)
      #expect(zip(shares, shares.dropFirst()).allSatisfy { $0.share >= $1.share })
      #expect(shares.allSatisfy { segmenter.model.labels[$0.index] == $0.label })
    }
  }

  @Test func picturesOfOtherShapesKeepTheirOwn() throws {
    try withCheckpoint("fcn") { path, _ in
      let segmenter = try Segmenter(LoadedModel(path: path), threads: 1)
      for (width, height) in [(64, 20), (20, 64), (3, 90), (41, 41)] {
        let picture = Picture(width: width, height: height, pixels: [UInt8](repeating: 90, count: width * height * 3))
        let mask = try segmenter.segment(picture).mask
        #expect(mask.width == width && mask.height == height)
      }
    }
  }

  @Test func aPictureThatWouldGrowWithoutBoundIsRefused() throws {
    try withCheckpoint("fcn") { path, _ in
      let segmenter = try Segmenter(LoadedModel(path: path), threads: 1)
      let line = Picture(width: 1, height: 16_000, pixels: [UInt8](repeating: 0, count: 48_000))
      #expect(throws: PictureError.self) { try segmenter.segment(line) }
    }
  }

  @Test func picturesOfOneNameGetMasksOfTheirOwn() {
    var names = MaskNames(folder: "out")
    let masks = ["a/cat.jpg", "b/cat.jpg", "a/cat-2.png", "b/cat.png", "a/dog.jpg"].map { names.next(for: $0).mask }
    let stems = ["cat", "cat-2", "cat-2-2", "cat-3", "dog"]
    #expect(masks.map { URL(filePath: $0).lastPathComponent } == stems.map { $0 + ".mask.png" })
  }

  @Test func eachTaskRefusesTheOthersNetworks() throws {
    try withCheckpoint("fcn") { path, _ in
      #expect(throws: ModelError.wrongTask(file: path, task: .imageSegmentation, expected: .imageClassification)) {
        try Classifier(LoadedModel(path: path))
      }
      // Its pictures have sizes of their own, which don't go into one batch.
      #expect(throws: ModelError.wrongTask(file: path, task: .imageSegmentation, expected: .imageClassification)) {
        try FeatureExtractor(LoadedModel(path: path))
      }
    }
  }
}
