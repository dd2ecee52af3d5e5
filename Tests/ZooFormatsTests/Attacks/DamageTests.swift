import Foundation
import Testing
import TestSupport
import ZooCheckpoint

@testable import ZooFormats

/// Damaged files of every format end in an error that says so, or in tensors inside the file.
@Suite struct DamageTests {
  static let files = [
    "module-state.pth", "legacy-p2.pth", "deflated.pth", "zip64.pth", "whole-module-p4.pth", "legacy-whole-module.pth",
    "shards/model-00001-of-00002.safetensors", "shards/pytorch_model.bin.index.json",
  ]

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: PyTorchFixture.path(name))))
  }

  /// Opens the bytes and touches every tensor; any error must be one that people can read.
  private func exercise(_ bytes: [UInt8], salvage: Bool = false) throws -> Bool {
    do {
      let file = try open(bytes, salvage: salvage)
      for tensor in file.stateDict.tensors.values { _ = try tensor.floats() }
      try file.checkRecords()
      return true
    } catch let error as any ReportableError {
      #expect(!error.report.line.isEmpty)
      return false
    }
  }

  @Test(arguments: files)
  func truncationAtEverySixteenthIsRefused(_ name: String) throws {
    let bytes = try bytes(name)
    for part in 0..<16 {
      let cut = bytes.count * part / 16
      #expect(try !exercise(Array(bytes[..<cut])), "cut to \(cut) of \(bytes.count)")
    }
    #expect(try !exercise(Array(bytes.dropLast())))
  }

  @Test func truncationInEverySectionOfAnArchiveIsRefused() throws {
    let path = PyTorchFixture.path("module-state.pth")
    let bytes = try bytes("module-state.pth")
    for entry in try ZipArchive(MappedFile(path: path)).entries {
      for cut in [entry.headerOffset, entry.headerOffset + 15, entry.dataOffset, entry.dataEnd - 1, entry.dataEnd] {
        let report = try #require(throws: ZipError.self) { _ = try open(Array(bytes[..<max(cut, 4)])) }.report
        #expect(report.advice?.contains("download it again") == true, "cut to \(cut)")
      }
    }
  }

  @Test func truncationAtEveryByteOfAPickleIsRefused() throws {
    let pickle = PickleAssembler.stateDict()
    for cut in pickle.indices {
      #expect(try !exercise(ZipAssembler.checkpoint(Array(pickle[..<cut])).bytes()), "cut to \(cut)")
    }
  }

  @Test(arguments: files)
  func mutationsNeverCrash(_ name: String) throws {
    // MARK and STOP of a pickle among them.
    try expectNoMutationCrashes(bytes(name), rounds: 400, seed: name, inserting: [0, 0xFF, 0x7F, 0x28, 0x2E])
  }

  @Test func mutatedPicklesNeverCrash() throws {
    // The checksum is made right again, so that the interpreter sees the damage.
    let path = PyTorchFixture.path("whole-module.pth")
    let archive = try ZipArchive(MappedFile(path: path))
    let original = try archive.entries.map { entry in
      ZipAssembler.Member(name: entry.name, data: try archive.record(entry).withBytes { [UInt8]($0) })
    }
    let pickle = try #require(original.firstIndex { $0.name.hasSuffix("data.pkl") })
    var random = SeededGenerator(seed: 20_240_611)
    for round in 0..<3000 {
      var members = original
      for _ in 0...(round % 3) {
        let place = Int(random.next() % UInt64(members[pickle].data.count))
        members[pickle].data[place] =
          round.isMultiple(of: 2) ? UInt8(truncatingIfNeeded: random.next()) : members[pickle].data[place] &+ 1
      }
      _ = try exercise(ZipAssembler(members: members).bytes(), salvage: round % 4 < 2)
    }
  }
}
