import Foundation
import TestSupport
import Testing
import ZooVision

@testable import ZooTraining

/// A folder of tiny pictures: class folders with so many pictures each, every one different.
func makePictures(_ folder: String, _ classes: [String: Int]) throws {
  for (name, count) in classes {
    try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    for index in 0..<count {
      let value = UInt8(truncatingIfNeeded: name.utf8.reduce(index * 7) { $0 &+ Int($1) })
      let picture = Picture(width: 2, height: 2, pixels: [UInt8](repeating: value, count: 11) + [UInt8(index)])
      try Data(PNGEncoder.encode(picture)).write(to: URL(filePath: "\(folder)/\(name)/\(index).png"))
    }
  }
}

@Suite struct DatasetTests {
  private func withFolder(_ classes: [String: Int], _ body: (String) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try makePictures(directory.path, classes)
    try body(directory.path)
  }

  @Test func aQuarterOfEachClassIsKeptForValidation() throws {
    try withFolder(["cat": 8, "dog": 12]) { folder in
      let data = try Dataset(folder: folder)
      #expect(data.labels == ["cat", "dog"])
      #expect(data.validation.filter { $0.label == 0 }.count == 2)
      #expect(data.validation.filter { $0.label == 1 }.count == 3)
      #expect(data.training.count == 15)
      #expect(data.sharedExamples.isEmpty)
    }
  }

  @Test func theSplitDependsOnNamesAndSeedAlone() throws {
    try withFolder(["cat": 8, "dog": 8]) { folder in
      let names = try Dataset(folder: folder).validation.map(\.name)
      #expect(try Dataset(folder: folder).validation.map(\.name) == names)
      #expect(names == ["cat/0.png", "cat/1.png", "dog/1.png", "dog/7.png"])
      #expect(try Dataset(folder: folder, seed: 9).validation.map(\.name) != names)
    }
  }

  @Test func identicalPicturesStayOnOneSideOfASplit() throws {
    try withFolder(["cat": 8, "dog": 8]) { folder in
      for index in 0..<8 {
        try FileManager.default.copyItem(atPath: "\(folder)/cat/\(index).png", toPath: "\(folder)/cat/copy\(index).png")
      }
      #expect(try Dataset(folder: folder).sharedExamples.isEmpty)
    }
  }

  @Test func identicalPicturesOnBothSidesAreNamed() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try makePictures(directory.file("train"), ["cat": 2, "dog": 2])
    try makePictures(directory.file("val"), ["cat": 1])
    let data = try Dataset(folder: directory.path)
    #expect(data.sharedExamples == [.init(training: "train/cat/0.png", validation: "val/cat/0.png")])
  }

  @Test func hiddenFilesAreNoPictures() throws {
    try withFolder(["cat": 2, "dog": 2, ".git": 1]) { folder in
      try Data("x".utf8).write(to: URL(filePath: folder + "/cat/.DS_Store"))
      let data = try Dataset(folder: folder)
      #expect(data.labels == ["cat", "dog"])
      #expect(data.training.count + data.validation.count == 4)
    }
  }

  @Test func aClassWithoutPicturesIsNamed() throws {
    try withFolder(["cat": 2, "dog": 0]) { folder in
      #expect(throws: DataError.emptyClass(folder: folder, name: "dog")) { try Dataset(folder: folder) }
    }
  }

  @Test func oneClassIsRefused() throws {
    try withFolder(["cat": 2]) { folder in
      #expect(throws: DataError.oneClass(folder: folder, name: "cat")) { try Dataset(folder: folder) }
    }
  }

  @Test func headMustAgreeWithTheFolders() throws {
    try withFolder(["cat": 2, "dog": 2]) { folder in
      let error = DataError.headDisagrees(asked: 3, folder: folder, labels: ["cat", "dog"])
      #expect(throws: error) { try Dataset(folder: folder, head: 3) }
      #expect(error.report.line.contains("2 classes: cat, dog"))
      #expect(throws: DataError.headTooSmall(asked: 1)) { try Dataset(folder: folder, head: 1) }
      let dataset = try Dataset(folder: folder, head: 2)
      #expect(dataset.labels.count == 2)
    }
  }

  @Test func aValidationClassThatTrainingLacksIsNamed() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try makePictures(directory.file("train"), ["cat": 2, "dog": 2])
    try makePictures(directory.file("val"), ["cow": 1])
    #expect(throws: DataError.unknownClass(folder: directory.file("val"), name: "cow", known: ["cat", "dog"])) {
      try Dataset(folder: directory.path)
    }
  }

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  @Test func tablesListPicturesWithTheirClassesAndParts() throws {
    try withFolder(["cat": 3, "dog": 3]) { folder in
      try write(
        """
        path,label,split
        cat/0.png,feline,train
        cat/1.png,feline,val
        dog/0.png,canine,train
        dog/1.png,canine,test
        dog/2.png,canine,validation

        """, folder + "/list.csv")
      let data = try Dataset(folder: folder + "/list.csv")
      #expect(data.labels == ["canine", "feline"])
      #expect(data.training.map(\.name) == ["cat/0.png", "dog/0.png"] && data.training.map(\.label) == [1, 0])
      #expect(data.validation.map(\.name) == ["cat/1.png", "dog/2.png"])
      let held = try Dataset.held(in: folder + "/list.csv", labels: data.labels)
      #expect(held.map(\.name) == ["cat/1.png", "dog/2.png"])
      try write("path,label,split\ncat/0.png,a,train\ndog/0.png,b,both\n", folder + "/bad.csv")
      #expect(throws: DataError.unknownPart(file: folder + "/bad.csv", line: 3, part: "both")) {
        try Dataset(folder: folder + "/bad.csv")
      }
    }
  }

  @Test func imagefoldersAreReadByTheirMetadata() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    for part in ["train", "validation"] {
      try makePictures(directory.file(part), ["pictures": 4])
      let lines = (0..<4).map { #"{"file_name": "pictures/\#($0).png", "label": \#([9, 10][$0 % 2])}"# }
      try write(lines.joined(separator: "\n"), directory.file(part + "/metadata.jsonl"))
    }
    let data = try Dataset(folder: directory.path)
    #expect(data.labels == ["9", "10"])
    #expect(data.training.map(\.label) == [0, 1, 0, 1] && data.validation.count == 4)
    #expect(data.training[1].name == "train/pictures/1.png" && data.training[1].digest != nil)
    #expect(data.sharedExamples.count == 4)
  }

  @Test func aSplitFileSaysWhichPicturesAreKept() throws {
    try withFolder(["cat": 2, "dog": 2]) { folder in
      var lines = ["path\tsplit", "cat/0.png\tval", "cat/1.png\ttrain", "dog/0.png\ttrain"]
      try write(lines.joined(separator: "\n"), folder + "/split.tsv")
      #expect(throws: DataError.notInSplit(file: folder + "/split.tsv", name: "dog/1.png")) {
        try Dataset(folder: folder, split: folder + "/split.tsv")
      }
      lines.append("dog/1.png\tval")
      try write(lines.joined(separator: "\n"), folder + "/split.tsv")
      let data = try Dataset(folder: folder, split: folder + "/split.tsv")
      #expect(data.validation.map(\.name) == ["cat/0.png", "dog/1.png"] && data.imbalance == 1)
    }
  }
}
