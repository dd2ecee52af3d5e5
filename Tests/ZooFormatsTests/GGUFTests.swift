import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

@Suite struct GGUFTests {
  private func path(_ name: String) -> String { Fixture.path("gguf/\(name)") }

  private func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path(name)))) }

  @Test func everyTypeGivesGGUFPysValuesBitForBit() throws {
    let expected = try SafetensorsReader.read(MappedFile(path: path("types.expected.safetensors"))).stateDict
    let found = try WeightFile.open(path: path("types.gguf"))
    #expect(found.format == .gguf)
    #expect(Set(found.stateDict.names) == Set(expected.names))
    for (name, tensor) in found.stateDict.tensors {
      let reference = try #require(expected[name])
      #expect(tensor.dtype == reference.dtype && tensor.shape == reference.shape, "\(name)")
      #expect(try tensor.isSame(as: reference), "\(name)")
    }
  }

  @Test func plainTensorsAreViewsOfTheFile() throws {
    let tensors = try WeightFile.open(path: path("types.gguf")).stateDict
    #expect(tensors["f16"]?.storage.fileRange != nil)
    #expect(tensors["Q4_K"]?.storage.fileRange == nil)
  }

  @Test func metadataIsKeptUnderItsKeys() throws {
    let file = try WeightFile.open(path: path("types.gguf"))
    #expect(file.metadata["gguf.general.name"] == "a test ✓")
    #expect(file.metadata["gguf.general.architecture"] == "test")
    #expect(file.metadata["gguf.test.flag"] == "true")
    #expect(file.metadata["gguf.test.large"] == "1099511627776")
    #expect(file.metadata["gguf.test.epsilon"] == "1e-05")
    #expect(file.metadata["gguf.test.list"] == "[1,2,3]")
    #expect(file.metadata["gguf.test.words"] == #"["a","b\"c"]"#)
    #expect(file.skipped.map(\.name) == ["test.vocabulary"])
  }

  @Test func quantisationsThatAreNotReadAreNamedWithTheirTensors() throws {
    let report = try reportOfOpening(path("unread.gguf"))
    #expect(report.problem.hasSuffix("Q2_K (a, b)"))
    let salvaged = try WeightFile.open(path: path("unread.gguf"), salvage: true)
    #expect(salvaged.stateDict.names == ["fine"] && salvaged.skipped.map(\.name) == ["a", "b"])
  }

  @Test func versionOneIsRead() throws {
    let file = try WeightFile.open(path: path("v1.gguf"))
    #expect(file.metadata == ["gguf.test": "hi"])
    #expect(try file.stateDict["w"]?.floats() == [0, 1, 2, 3, 4, 5])
    #expect(file.stateDict["w"]?.shape == [3, 2])
  }

  /// A file of one tensor whose description is given.
  private struct Assembler {
    var version: UInt32 = 3
    var tensors: UInt64 = 1
    var pairs: UInt64 = 0
    var metadata: [UInt8] = []
    var name = "w"
    var sizes: [UInt64] = [4]
    var type: UInt32 = 0
    var offset: UInt64 = 0
    var data = 32
    var repeats = 1

    static func string(_ text: String) -> [UInt8] {
      PickleAssembler.little(UInt64(text.utf8.count)) + Array(text.utf8)
    }

    func bytes() -> [UInt8] {
      var bytes = Array("GGUF".utf8) + PickleAssembler.little(version)
      bytes += PickleAssembler.little(tensors) + PickleAssembler.little(pairs) + metadata
      for number in 0..<repeats {
        bytes += Self.string(number == 0 ? name : "other") + PickleAssembler.little(UInt32(sizes.count))
        bytes += sizes.flatMap(PickleAssembler.little) + PickleAssembler.little(type) + PickleAssembler.little(offset)
      }
      bytes += [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32)
      return bytes + [UInt8](repeating: 0, count: data)
    }
  }

  @Test func theAssemblerMakesReadableFiles() throws {
    #expect(try open(Assembler().bytes()).stateDict["w"]?.shape == [4])
  }

  @Test func liesAreRefused() throws {
    let key = Assembler.string("k") + PickleAssembler.little(UInt32(0)) + [1]
    func alignment(_ value: UInt32) -> [UInt8] {
      Assembler.string("general.alignment") + PickleAssembler.little(UInt32(4)) + PickleAssembler.little(value)
    }
    func array(_ type: UInt32, count: UInt64) -> [UInt8] {
      Assembler.string("k") + [9, 0, 0, 0] + PickleAssembler.little(type) + PickleAssembler.little(count)
    }
    let nested =
      Assembler.string("k") + [9, 0, 0, 0]
      + (0..<1000).flatMap { _ in PickleAssembler.little(UInt32(9)) + PickleAssembler.little(UInt64(1)) }
    let files: [(String, Assembler)] = [
      ("version", Assembler(version: 4)), ("big-endian", Assembler(version: 3 << 24)),
      ("tensor count", Assembler(tensors: .max)), ("more tensors", Assembler(tensors: 3)),
      ("pair count", Assembler(pairs: .max / 2)), ("no tensors", Assembler(tensors: 0, repeats: 0)),
      ("duplicate key", Assembler(pairs: 2, metadata: key + key)),
      ("value type", Assembler(pairs: 1, metadata: Assembler.string("k") + [13, 0, 0, 0])),
      ("alignment 0", Assembler(pairs: 1, metadata: alignment(0))),
      ("alignment 48", Assembler(pairs: 1, metadata: alignment(48))),
      ("alignment 2^31", Assembler(pairs: 1, metadata: alignment(1 << 31))),
      ("array count", Assembler(pairs: 1, metadata: array(0, count: .max))),
      ("array of arrays", Assembler(pairs: 1, metadata: array(9, count: 1 << 60))),
      ("nested", Assembler(pairs: 1, metadata: nested)), ("string", Assembler(pairs: 1, metadata: array(8, count: 9))),
      ("dimensions", Assembler(sizes: [1, 1, 1, 1, 1])), ("huge", Assembler(sizes: [.max])),
      ("overflow", Assembler(sizes: [1 << 40, 1 << 40])), ("beyond the file", Assembler(sizes: [9])),
      ("offset", Assembler(offset: .max - 31)), ("misaligned", Assembler(sizes: [2], offset: 8)),
      ("overlap", Assembler(tensors: 2, repeats: 2)), ("type", Assembler(type: 99)),
      ("removed type", Assembler(type: 4)),
      ("block", Assembler(sizes: [16], type: 8)), ("no name", Assembler(name: "\u{1B}[31m", sizes: [99])),
    ]
    for (what, file) in files {
      let error = try #require(throws: GGUFError.self, "\(what)") { _ = try open(file.bytes()) }
      #expect(!error.report.line.contains("\u{1B}"), "\(what)")
    }
    var repeated = Assembler(tensors: 2, sizes: [0], repeats: 2).bytes()
    // Both tensors take the same name.
    if let place = repeated.indices.first(where: { repeated[$0...].starts(with: "other".utf8) }) {
      repeated.replaceSubrange((place - 8)..<(place + 5), with: Assembler.string("w"))
    }
    #expect(throws: GGUFError.self) { _ = try open(repeated) }
  }

  @Test func everyTruncationIsRefused() throws {
    for name in ["v1.gguf", "unread.gguf"] {
      let bytes = try bytes(name)
      // The last tensor may be followed by padding.
      for cut in 4..<(bytes.count - 32) {
        #expect(throws: (any Error).self, "\(name) cut to \(cut)") { _ = try open(Array(bytes[..<cut])) }
      }
    }
    let bytes = try bytes("types.gguf")
    for part in 1..<32 {
      #expect(throws: GGUFError.self) { _ = try open(Array(bytes[..<(bytes.count * part / 32)])) }
    }
  }

  @Test func mutationsNeverCrash() throws {
    try expectNoMutationCrashes(bytes("v1.gguf"), rounds: 500, seed: "v1")
    try expectNoMutationCrashes(bytes("unread.gguf"), rounds: 500, seed: "unread")
    // The description without the long vocabulary before it.
    let whole = try bytes("types.gguf")
    try expectNoMutationCrashes(Array(whole.prefix(1000)), rounds: 200, seed: "start")
  }
}
