import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooVision

@testable import ZooTraining

@Suite struct MaskDataTests {
  private func withMasks(_ count: Int = 8, _ body: (DrawnMasks) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let drawn = DrawnMasks(folder: directory.path)
    try drawn.write(count)
    try body(drawn)
  }

  @Test func aQuarterIsKeptAndClassesAreCounted() throws {
    try withMasks { drawn in
      #expect(SegmentationDataset.mayStand(at: drawn.folder))
      let data = try SegmentationDataset(path: drawn.folder + "/")
      #expect(data.labels == ["class 0", "class 1", "class 2"])
      #expect(data.training.count == 6 && data.validation.count == 2)
      #expect(Set(data.training.map(\.name)).isDisjoint(with: data.validation.map(\.name)))
      #expect(data.trainingCounts[0] == 6 && data.trainingCounts[1] + data.trainingCounts[2] == 6)
      // The first column is ignored.
      #expect(data.trainingPixels.reduce(0, +) <= 6 * 39 * 32 && data.trainingPixels.allSatisfy { $0 > 0 })
      #expect(try SegmentationDataset(path: drawn.folder).validation == data.validation)
      #expect(try SegmentationDataset(path: drawn.folder, seed: 5).validation != data.validation)
    }
  }

  @Test func namesAndNumbersOfClasses() throws {
    try withMasks { drawn in
      #expect(try SegmentationDataset(path: drawn.folder, head: 4).labels.count == 4)
      #expect(try SegmentationDataset(path: drawn.folder, head: 4).absentLabels == ["class 3"])
      try drawn.write("ground\nblue\r\n red \n\n", "classes.txt")
      #expect(try SegmentationDataset(path: drawn.folder).labels == ["ground", "blue", "red"])
      let file = drawn.folder + "/classes.txt"
      #expect(throws: MaskDataError.headDisagrees(asked: 4, file: file, classes: 3)) {
        try SegmentationDataset(path: drawn.folder, head: 4)
      }
      try drawn.write("a\nb\na\n", "classes.txt")
      #expect(throws: MaskDataError.repeatedClass(file: file, line: 3, name: "a")) {
        try SegmentationDataset(path: drawn.folder)
      }
      try drawn.write("a\nb\n", "classes.txt")
      #expect(throws: MaskDataError.self) { try SegmentationDataset(path: drawn.folder) }
    }
  }

  @Test func everyUsualLayoutIsRead() throws {
    func names(_ drawn: DrawnMasks) throws -> [String] {
      try SegmentationDataset(path: drawn.folder).validation.map(\.name)
    }
    try withMasks(4) { drawn in
      for (from, to) in [("images", "train/images"), ("masks", "train/labels")] { try drawn.move(from, to) }
      try drawn.write(1, from: 9)
      for (from, to) in [("images", "val/imgs"), ("masks", "val/mask")] { try drawn.move(from, to) }
      #expect(SegmentationDataset.mayStand(at: drawn.folder))
      #expect(try names(drawn) == ["val/imgs/9.png"])
    }
    try withMasks(4) { drawn in
      for name in ["images", "masks"] {
        for number in 0..<3 { try drawn.move("\(name)/\(number).png", "\(name)/train/\(number).png") }
        try drawn.move("\(name)/3.png", "\(name)/val/3.png")
      }
      #expect(try names(drawn) == ["images/val/3.png"])
    }
    try withMasks(6) { drawn in
      try drawn.move("images", "JPEGImages")
      try drawn.move("masks", "SegmentationClass")
      try FileManager.default.createDirectory(
        atPath: drawn.folder + "/ImageSets/Segmentation", withIntermediateDirectories: true)
      try drawn.write("0\n1\n3\n", "ImageSets/Segmentation/train.txt")
      try drawn.write("4\n", "ImageSets/Segmentation/val.txt")
      // Pascal VOC has pictures without masks.
      try drawn.remove("SegmentationClass/5.png")
      let data = try SegmentationDataset(path: drawn.folder)
      #expect(data.training.map(\.name) == [0, 1, 3].map { "JPEGImages/\($0).png" })
      #expect(data.validation.map(\.name) == ["JPEGImages/4.png"])
      try drawn.write("4\n77\n", "ImageSets/Segmentation/val.txt")
      #expect(throws: MaskDataError.self) { try SegmentationDataset(path: drawn.folder) }
    }
    try withMasks(4) { drawn in
      for number in 0..<4 { try drawn.move("masks/\(number).png", "masks/\(number)_mask.png") }
      #expect(try names(drawn).count == 1)
    }
  }

  @Test func aTableNamesPicturesMasksAndParts() throws {
    try withMasks(4) { drawn in
      let rows = (0..<4).map { "images/\($0).png,masks/\($0).png,\($0 == 2 ? "val" : $0 == 3 ? "test" : "train")" }
      try drawn.write("path,mask,split\n" + rows.joined(separator: "\n"), "data.csv")
      let data = try SegmentationDataset(path: drawn.folder + "/data.csv")
      #expect(SegmentationDataset.mayStand(at: drawn.folder + "/data.csv"))
      #expect(data.training.map(\.name) == ["images/0.png", "images/1.png"])
      #expect(data.validation.map(\.name) == ["images/2.png"])
      try drawn.write("path,mask\nimages/0.png,masks/7.png", "data.csv")
      #expect(throws: FileError.notFound(file: drawn.folder + "/masks/7.png")) {
        try SegmentationDataset(path: drawn.folder + "/data.csv")
      }
      try drawn.write("path,label\nimages/0.png,a", "data.csv")
      #expect(!SegmentationDataset.mayStand(at: drawn.folder + "/data.csv"))
      try drawn.write(
        "path,split\n" + (0..<4).map { "images/\($0).png,\($0 == 1 ? "val" : "train")" }.joined(separator: "\n"),
        "split.csv")
      let split = try SegmentationDataset(path: drawn.folder, split: drawn.folder + "/split.csv")
      #expect(split.validation.map(\.name) == ["images/1.png"])
    }
  }

  @Test func whatIsWrongWithMasksIsNamedWithItsFile() throws {
    func error(_ spoil: (DrawnMasks) throws -> Void) throws -> (any Error)? {
      var caught: (any Error)?
      try withMasks { drawn in
        try spoil(drawn)
        do { _ = try SegmentationDataset(path: drawn.folder) } catch { caught = error }
      }
      return caught
    }
    func report(_ spoil: (DrawnMasks) throws -> Void) throws -> String {
      try #require(try error(spoil) as? any ReportableError).report.line
    }
    #expect(try report { try $0.remove("masks/3.png") }.contains("images/3.png: has no mask of its name in"))
    #expect(try report { try $0.remove("images/3.png") }.contains("masks/3.png: has no picture of its name in"))
    let small = try report {
      try $0.save(ClassMask(width: 2, height: 1, classes: [0, 1]), "masks/3.png")
    }
    #expect(small.contains("masks/3.png: has 2 × 1 pixels, its picture 40 × 32"))
    let colours = try report {
      try $0.save(Picture(width: 40, height: 32, pixels: [UInt8](repeating: 1, count: 3840)), "masks/3.png")
    }
    #expect(colours.contains("masks/3.png") && colours.contains("numbers of classes"))
    var classes = [UInt8](repeating: 0, count: 1280)
    classes[41] = 254
    let beyond = try report {
      try $0.write("a\nb\nc\n", "classes.txt")
      try $0.save(ClassMask(width: 40, height: 32, classes: classes), "masks/3.png")
    }
    #expect(beyond.contains("masks/3.png: pixel 1, 1: holds class 254, and the 3 classes are 0 to 2"), "\(beyond)")
    let binary = try report { drawn in
      for number in 0..<8 {
        let mask = try ClassMask.decode(path: "\(drawn.folder)/masks/\(number).png")
        try drawn.save(
          ClassMask(width: 40, height: 32, classes: mask.classes.map { $0 == 0 ? 0 : 255 }), "masks/\(number).png")
      }
    }
    #expect(binary.contains("class 0 alone") && binary.contains("0 and 1 instead"), "\(binary)")
    #expect(try report { try $0.write("no picture", "masks/3.png") }.contains("masks/3.png: is no PNG"))
    #expect(try report { try $0.remove("masks") }.contains("holds no pictures with masks"))
    #expect(throws: FileError.notFound(file: "/nowhere")) { try SegmentationDataset(path: "/nowhere") }
  }

  @Test func aBrokenPictureIsLeftOut() throws {
    try withMasks { drawn in
      try drawn.write("no picture", "images/3.png")
      let data = try SegmentationDataset(path: drawn.folder)
      #expect(data.skipped.map(\.name) == ["images/3.png"])
      #expect(data.training.count + data.validation.count == 7)
    }
  }

  @Test func overlapsEqualScikitLearns() throws {
    let tensors = try Checkpoint.open(path: Fixture.path("pixel_training/loss.safetensors")).stateDict
    func numbers(_ name: String) throws -> [UInt8] { try #require(tensors[name]).floats().map { UInt8($0) } }
    let overlaps = try #require(tensors["overlaps"]).floats()
    var matrix = ConfusionMatrix(labels: (0..<7).map(String.init))
    matrix.add(truths: try numbers("overlap.truth"), predictions: try numbers("overlap.found"))
    for (label, expected) in overlaps.enumerated() {
      guard !expected.isNaN else {
        #expect(matrix.intersectionOverUnion(label) == nil)
        continue
      }
      #expect(abs((matrix.intersectionOverUnion(label) ?? -1) - Double(expected)) < 1e-6)
    }
    let present = overlaps.filter { !$0.isNaN }
    #expect(present.count == 6 && present.contains(0))
    let mean = Double(present.reduce(0, +)) / 6
    #expect(abs(matrix.meanIntersectionOverUnion - mean) < 1e-6)
  }
}
