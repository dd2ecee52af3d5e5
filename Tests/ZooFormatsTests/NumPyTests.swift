import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

@Suite struct NumPyTests {
  private func path(_ name: String) -> String { Fixture.path("numpy/\(name)") }

  @Test(arguments: ["stored.npz", "deflated.npz"])
  func everyTypeAndOrderGivesNumPysValues(_ name: String) throws {
    let expected = try SafetensorsReader.read(MappedFile(path: path("all.expected.safetensors"))).stateDict
    let found = try WeightFile.open(path: path(name))
    #expect(found.format == .numPyArchive)
    #expect(Set(found.stateDict.names) == Set(expected.names))
    for (name, tensor) in found.stateDict.tensors {
      let reference = try #require(expected[name])
      #expect(tensor.dtype == reference.dtype && tensor.shape == reference.shape, "\(name)")
      #expect(try tensor.isSame(as: reference), "\(name)")
    }
    try found.checkRecords()
  }

  @Test func storedArraysAreViewsOfTheFile() throws {
    let stored = try WeightFile.open(path: path("stored.npz")).stateDict
    #expect(stored.tensors.values.allSatisfy { $0.storage.fileRange != nil })
    #expect(try WeightFile.open(path: path("deflated.npz")).stateDict["fortran"]?.storage.fileRange == nil)
    #expect(stored["fortran"]?.strides == [1, 3, 12])
  }

  @Test(arguments: ["v1.npy", "v2.npy", "v3.npy"])
  func anArrayIsNamedByItsFileInEveryVersion(_ name: String) throws {
    let file = try WeightFile.open(path: path(name))
    #expect(file.stateDict.names == [String(name.prefix(2))])
    #expect(try file.stateDict.tensors.values.first?.floats() == [0, 1, 2, 3, 4, 5])
    #expect(file.stateDict.tensors.values.first?.shape == [2, 3])
  }

  @Test func twoOpaqueBytesAreBfloat16() throws {
    let tensor = try #require(try WeightFile.open(path: path("bfloat16.npz")).stateDict["b"])
    #expect(tensor.dtype == .bfloat16)
    #expect(try tensor.floats() == [-3, -2, -1, 0, 1, 2])
  }

  @Test func objectsAreRefusedByNameAndLeftOutOnSalvage() throws {
    let report = try reportOfOpening(path("objects.npz"))
    #expect(report.kind == .badData && report.place == "array harm" && report.problem.contains("pickle"))
    let salvaged = try WeightFile.open(path: path("objects.npz"), salvage: true)
    #expect(salvaged.stateDict.names == ["fine"] && salvaged.skipped.map(\.name) == ["harm"])
  }

  @Test func arraysThatAreNoNumbersAreListed() throws {
    let file = try WeightFile.open(path: path("others.npz"))
    #expect(file.stateDict.names == ["fine"])
    #expect(Set(file.skipped.map(\.name)) == ["text", "complex", "record", "date"])
  }

  private func array(_ header: String, version: UInt8 = 1, data: Int = 24) -> [UInt8] {
    let text = Array(header.utf8)
    return [0x93] + Array("NUMPY".utf8) + [version, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)] + text
      + [UInt8](repeating: 0, count: data)
  }

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4), }",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (9223372036854775807, 9223372036854775807), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 0), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'shape': (2, 3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}",
    "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'fortran_order': False, 'shape': 6}",
    "{'descr': [('a', '<f4'), 'fortran_order': False, 'shape': (6,)}", "{'descr': '<f4", "{", "", "__import__('os')",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", "{'descr': '<c8', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '|V24', 'fortran_order': False, 'shape': ()}", "{'descr': '|V0', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '\u{1B}[2J', 'fortran_order': False, 'shape': (3,)}",
  ])
  func headersThatLieAreRefused(_ header: String) throws {
    for bytes in [array(header), array(header, version: 9), array(header, version: 2)] {
      let error = try #require(throws: NumPyError.self) { _ = try open(bytes) }
      #expect(!error.report.line.isEmpty && !error.report.line.contains("\u{1B}"))
      let archive = ZipAssembler(members: [.init(name: "x.npy", data: bytes)])
      #expect(throws: NumPyError.self) { _ = try open(archive.bytes()) }
    }
  }

  @Test(arguments: ["stored.npz", "deflated.npz", "v1.npy", "v3.npy"])
  func everyTruncationIsRefused(_ name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path(name))))
    for cut in stride(from: 8, to: bytes.count, by: bytes.count > 1000 ? 37 : 1) {
      #expect(throws: (any Error).self, "cut to \(cut)") { _ = try open(Array(bytes[..<cut])) }
    }
  }

  @Test func aCompressedBombIsNotUnpackedToSeeItsHeader() throws {
    let zeros = ZipAssembler.deflatedZeros(8 << 20)
    let members = (0..<200).map {
      ZipAssembler.Member(name: "\($0).npy", data: zeros, method: 8, size: 8 << 20, checksum: 1)
    }
    let error = try #require(throws: NumPyError.self) { _ = try open(ZipAssembler(members: members).bytes()) }
    #expect(error.report.problem.contains("expected \\x93NUMPY"))
  }

  @Test(arguments: ["stored.npz", "deflated.npz", "v2.npy"])
  func mutationsNeverCrash(_ name: String) throws {
    try expectNoMutationCrashes([UInt8](try Data(contentsOf: URL(filePath: path(name)))), rounds: 300, seed: name)
  }
}
