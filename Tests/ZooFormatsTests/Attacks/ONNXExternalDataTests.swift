import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

/// External data is a plain file inside the model's folder, or it is refused.
@Suite struct ONNXExternalDataTests {
  /// A folder with `model/model.onnx`, `model/data.bin` of 400 bytes, and `secret.bin` outside.
  private func withFolder(_ body: (TemporaryDirectory) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try FileManager.default.createDirectory(atPath: directory.file("model"), withIntermediateDirectories: true)
    for file in ["model/data.bin", "secret.bin"] {
      try Data(repeating: 1, count: 400).write(to: URL(filePath: directory.file(file)))
    }
    try body(directory)
  }

  private func open(_ directory: TemporaryDirectory, _ tensors: [[ProtobufField]]) throws -> WeightFile {
    let bytes = ONNXAssembler.model(graph: tensors.map { .message(5, $0) })
    let path = directory.file("model/model.onnx")
    try Data(bytes).write(to: URL(filePath: path))
    return try WeightFile.open(path: path)
  }

  private func expectRefusal(
    _ directory: TemporaryDirectory, _ entries: [(String, String)], dims: [UInt64] = [10], saying words: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    do {
      _ = try open(directory, [ONNXAssembler.external("w", dims: dims, entries)])
      Issue.record("\(entries) was read", sourceLocation: sourceLocation)
    } catch let error as any ReportableError {
      #expect(error.report.kind == .badData, sourceLocation: sourceLocation)
      #expect(error.report.place == "w", sourceLocation: sourceLocation)
      #expect(error.report.problem.contains(words), "\(error.report.line)", sourceLocation: sourceLocation)
    }
  }

  @Test func aPlainFileInAFolderBelowIsRead() throws {
    try withFolder { directory in
      try FileManager.default.createDirectory(atPath: directory.file("model/a"), withIntermediateDirectories: true)
      try Data([0, 0, 128, 63]).write(to: URL(filePath: directory.file("model/a/b.bin")))
      let file = try open(directory, [ONNXAssembler.external("w", dims: [1], [("location", "./a/./b.bin")])])
      #expect(try file.stateDict["w"]?.floats() == [1])
    }
  }

  @Test(arguments: [
    "../secret.bin", "a/../../secret.bin", "..", "a//b", "./..", "x/", "a/../data.bin",
  ])
  func pathsThatLeaveTheFolderAreRefused(_ location: String) throws {
    try withFolder { directory in
      try expectRefusal(directory, [("location", location)], saying: "leads out of the model's folder")
    }
  }

  @Test(arguments: ["/etc/passwd", "//etc/passwd", "", "..\\secret.bin", "C:\\data.bin"])
  func pathsThatAreAbsoluteOrForeignAreRefused(_ location: String) throws {
    try withFolder { directory in
      try expectRefusal(directory, [("location", location)], saying: "is no path inside the model's folder")
      try expectRefusal(
        directory, [("location", directory.file("secret.bin"))], saying: "is no path inside the model's folder")
    }
  }

  @Test func symbolicLinksAreNotFollowedAnywhereOnTheWay() throws {
    try withFolder { directory in
      let manager = FileManager.default
      try manager.createSymbolicLink(atPath: directory.file("model/link.bin"), withDestinationPath: "../secret.bin")
      try manager.createSymbolicLink(atPath: directory.file("model/near.bin"), withDestinationPath: "data.bin")
      try manager.createSymbolicLink(atPath: directory.file("model/up"), withDestinationPath: "..")
      try manager.createDirectory(atPath: directory.file("model/a"), withIntermediateDirectories: true)
      try manager.createSymbolicLink(atPath: directory.file("model/a/b"), withDestinationPath: "../..")
      for location in ["link.bin", "near.bin", "up/secret.bin", "a/b/secret.bin"] {
        try expectRefusal(directory, [("location", location)], saying: "lies behind a symbolic link")
      }
    }
  }

  @Test func hardLinksPipesFoldersDevicesAndEmptyFilesAreRefused() throws {
    try withFolder { directory in
      try FileManager.default.linkItem(atPath: directory.file("secret.bin"), toPath: directory.file("model/hard.bin"))
      try expectRefusal(directory, [("location", "hard.bin")], saying: "several names")
      #expect(mkfifo(directory.file("model/pipe"), 0o600) == 0)
      try expectRefusal(directory, [("location", "pipe")], saying: "is not a regular file")
      try FileManager.default.createDirectory(atPath: directory.file("model/folder"), withIntermediateDirectories: true)
      try expectRefusal(directory, [("location", "folder")], saying: "is a directory")
      try Data().write(to: URL(filePath: directory.file("model/empty")))
      try expectRefusal(directory, [("location", "empty")], saying: "is empty")
      try expectRefusal(directory, [("location", "none.bin")], saying: "no such file")
      // Making a device takes rights that tests may not have.
      if mknod(directory.file("model/zero"), S_IFCHR | 0o600, dev_t(1 << 8 | 5)) == 0 {
        try expectRefusal(directory, [("location", "zero")], saying: "is not a regular file")
      }
    }
  }

  @Test func rangesBeyondTheFileAreRefused() throws {
    try withFolder { directory in
      for offset in ["361", "400", "401", "4000000000", "9223372036854775807"] {
        try expectRefusal(directory, [("location", "data.bin"), ("offset", offset)], saying: "but that file has 400")
      }
      try expectRefusal(directory, [("location", "data.bin")], dims: [101], saying: "but that file has 400")
    }
  }

  @Test(arguments: ["-1", "0x10", "1e2", "ten", "+4", " 4", "4 ", "4\u{0}", "99999999999999999999", "٤", "1.0"])
  func numbersThatAreNoneAreRefused(_ text: String) throws {
    try withFolder { directory in
      // A zero byte ends the text for the parser, which then sees a number.
      let isCut = text.contains("\u{0}")
      if isCut { return }
      try expectRefusal(directory, [("location", "data.bin"), ("offset", text)], saying: "starts at no byte")
      try expectRefusal(directory, [("location", "data.bin"), ("length", text)], saying: "has no length")
    }
  }

  @Test func aLengthThatContradictsTheShapeIsRefused() throws {
    try withFolder { directory in
      for length in ["0", "39", "41", "400"] {
        try expectRefusal(
          directory, [("location", "data.bin"), ("length", length)], saying: "but its shape needs 40")
      }
    }
  }

  @Test func rangesThatOverlapAreRefusedButTheSameTensorTwiceIsShared() throws {
    try withFolder { directory in
      func tensor(_ name: String, _ offset: Int, _ dims: [UInt64]) -> [ProtobufField] {
        ONNXAssembler.external(name, dims: dims, [("location", "data.bin"), ("offset", "\(offset)")])
      }
      for (offset, dims) in [(4, [10]), (36, [2]), (0, [5]), (0, [2, 5]), (8, [2])] as [(Int, [UInt64])] {
        for order in [
          [tensor("a", 0, [10]), tensor("b", offset, dims)], [tensor("b", offset, dims), tensor("a", 0, [10])],
        ] {
          do {
            _ = try open(directory, order)
            Issue.record("offset \(offset) of \(dims) was read")
          } catch let error as ONNXError {
            #expect(error.report.problem.contains("overlaps that of"))
          }
        }
      }
      let file = try open(directory, [tensor("a", 0, [10]), tensor("b", 40, [10]), tensor("tied", 0, [10])])
      #expect(file.stateDict["a"]?.storage === file.stateDict["tied"]?.storage)
      #expect(file.stateDict["b"]?.storage !== file.stateDict["a"]?.storage)
    }
  }

  @Test func externalDataBesideInlineDataIsRefused() throws {
    try withFolder { directory in
      let both = ONNXAssembler.external("w", dims: [1], [("location", "data.bin")]) + [.data(9, [0, 0, 0, 0])]
      #expect(throws: ONNXError.self) { _ = try open(directory, [both]) }
    }
  }
}
