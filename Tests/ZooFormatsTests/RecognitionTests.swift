import Foundation
import Testing
import TestSupport
import ZooCheckpoint

@testable import ZooFormats

@Suite struct RecognitionTests {
  @Test(arguments: [
    ("7z\u{BC}\u{AF}\u{27}\u{1C}", WeightFormat.sevenZip),
    ("\u{1F}\u{8B}\u{8}", .gzip), ("PYTORCH1", .pyTorchPreview),
    ("version https://git-lfs.github.com/spec/v1\n", .gitLFSPointer),
    ("<!DOCTYPE html><html>", .webPage), ("\u{80}\u{4}\u{95}", .pickle),
  ])
  func formatThatIsNotReadIsNamed(_ head: String, format: WeightFormat) throws {
    let bytes = head.unicodeScalars.map { UInt8($0.value) } + [UInt8](repeating: 0, count: 600)
    do {
      _ = try open(bytes)
      throw Unexpected.opened(head)
    } catch let error as FormatError {
      guard case .notRead(_, format) = error else { throw error }
      #expect(error.report.kind == .badData)
      #expect(error.report.line.contains(format.displayName))
    }
  }

  @Test func tarIsNamed() {
    let bytes = [UInt8](repeating: 0, count: 257) + Array("ustar".utf8) + [UInt8](repeating: 0, count: 600)
    #expect(throws: FormatError.self) { _ = try open(bytes) }
  }

  @Test(arguments: ["\u{89}HDF\r\n\u{1A}\n", "\u{8}\u{8}\u{12}\u{7}pytorch"])
  func signatureWithoutTheRestIsRefusedBySandboxedParser(_ head: String) throws {
    let bytes = head.unicodeScalars.map { UInt8($0.value) } + [UInt8](repeating: 0, count: 600)
    #expect(throws: WorkerError.self) { _ = try open(bytes) }
  }

  @Test func torchScriptGivesItsTensorsByAttributePath() throws {
    let file = try WeightFile.open(path: PyTorchFixture.path("script.pt"))
    #expect(file.format == .torchScript)
    #expect(file.stateDict.tensors.mapValues(\.shape) == ["weight": [1, 2], "bias": [1]])
  }

  @Test func archivesOfOtherProgramsAreNamed() throws {
    let keras = ["metadata.json", "config.json", "model.weights.h5"].map { ZipAssembler.Member(name: $0, data: [1]) }
    #expect(throws: WorkerError.self) { _ = try open(ZipAssembler(members: keras).bytes()) }
    let arrays = ["a.npy", "b.npy"].map { ZipAssembler.Member(name: $0, data: [1]) }
    #expect(throws: NumPyError.self) { _ = try open(ZipAssembler(members: arrays).bytes()) }
    #expect(throws: FormatError.self) { _ = try open(ZipAssembler(members: []).bytes()) }
  }

  @Test func textIsRefusedWithItsFirstBytes() throws {
    do {
      _ = try open(Array("hello, this is a text file\n".utf8))
      throw Unexpected.opened("text")
    } catch let error as FormatError {
      #expect(error.report.problem == "is no weight file that zoo knows (it starts with 'hello, t')")
    }
  }

  @Test func missingFileDirectoryAndEmptyFileAreTold() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    #expect(try reportOfOpening(directory.file("none.pth")).kind == .noInput)
    #expect(try reportOfOpening(directory.path).kind == .noInput)
    try Data().write(to: URL(filePath: directory.file("empty.pth")))
    #expect(try reportOfOpening(directory.file("empty.pth")).kind == .badData)
    // Nobody writes into the pipe: opening it must not wait.
    mkfifo(directory.file("pipe.pth"), 0o600)
    #expect(try reportOfOpening(directory.file("pipe.pth")).kind == .noInput)
    #expect(try reportOfOpening("/dev/zero").kind == .noInput)
  }
}
