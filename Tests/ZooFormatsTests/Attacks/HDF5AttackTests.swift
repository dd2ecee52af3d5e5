import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

/// HDF5 made to harm ends in one clear error; the parser runs in its sandbox, and this process goes on.
@Suite struct HDF5AttackTests {
  /// Opens the bytes and touches every tensor.
  ///
  /// - Returns: the error that people see; nil where the file was read.
  private static func report(of bytes: [UInt8]) throws -> ErrorReport? {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = directory.file("x.h5")
    try Data(bytes).write(to: URL(filePath: path))
    do {
      let file = try WeightFile.open(path: path)
      for tensor in file.stateDict.tensors.values where tensor.byteCount < 1 << 24 { _ = try tensor.floats() }
      try file.checkRecords()
      return nil
    } catch let error as any ReportableError {
      return error.report
    }
  }

  private static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: HDF5Fixture.path(name))))
  }

  @Test(arguments: [
    ("soft-link", "/b", "is a soft link"), ("external-link", "/b", "is a link to another file"),
    ("external-storage", "/a", "keeps its data in other files (external storage)"),
    ("virtual", "/a", "is put together from other datasets (virtual storage)"),
    ("lzf", "/a", "is compressed by filter 32000 (LZF), expected gzip, shuffle or fletcher32"),
    ("shape-bomb", "/a", "would expand 0 stored bytes to 4398046511104"),
    ("chunk-bomb", "/a", "would expand 64 stored bytes to 274877906944"),
    ("long-chunk", "/a", "the chunk at [0] is damaged (filter 1)"),
    ("group-cycle", "/g/back", "is a group that is reached in two ways"),
    ("missing-layer", "/conv", "attribute layer_names names it, but it is missing"),
  ])
  func whatNoWeightFileNeedsIsRefusedByName(name: String, place: String, problem: String) throws {
    let report = try #require(try Self.report(of: Self.bytes("attack-\(name).h5")))
    #expect(report.kind == .badData)
    #expect(report.place == place)
    #expect(report.problem == problem)
  }

  @Test func manyDatasetsThatNobodyWroteAreTooMuchTogether() throws {
    let report = try #require(try Self.report(of: Self.bytes("attack-many-unwritten.h5")))
    #expect(report.problem.hasPrefix("would expand"))
  }

  @Test func controlCharactersInNamesAreEscaped() throws {
    let file = try WeightFile.open(path: HDF5Fixture.path("attack-names.h5"))
    #expect(file.stateDict.names.contains { $0.unicodeScalars.contains("\u{1B}") })
    for name in file.stateDict.names {
      #expect(!name.escapingControlCharacters().unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
    }
    let report = try #require(try Self.report(of: Self.bytes("attack-missing-weight.h5")))
    #expect(report.line.contains("/\\u{1B}[31mconv/kernel:0\\u{7}"))
    #expect(!report.line.unicodeScalars.contains { $0.value < 0x20 })
  }

  @Test func signatureAloneIsNoFile() throws {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    for bytes in [
      signature, signature + [UInt8](repeating: 0, count: 4096), signature + [UInt8](repeating: 0xFF, count: 4096),
    ] {
      #expect(try #require(try Self.report(of: bytes)).problem == "its structure is damaged: libhdf5 can't open it")
    }
  }

  @Test(arguments: ["superblock0.h5", "keras3-bfloat16.weights.h5", "keras3-archive.keras"])
  func truncationIsRefused(_ name: String) throws {
    let bytes = try Self.bytes(name)
    for part in 1..<6 {
      let cut = bytes.count * part / 6
      let report = try #require(try Self.report(of: Array(bytes[..<cut])), "cut to \(cut) of \(bytes.count)")
      #expect(report.kind == .badData)
    }
    #expect(try Self.report(of: bytes.dropLast()) != nil)
  }

  /// Addresses, lengths and counts of every structure that is found by its signature, one after another.
  @Test(arguments: ["superblock0.h5", "chunks-new.h5"])
  func structuresThatLieNeverCrashOrHang(_ name: String) throws {
    let original = try Self.bytes(name)
    var places: [Int] = []
    for signature in ["TREE", "SNOD", "HEAP", "GCOL", "OHDR", "FRHP", "BTHD", "FAHD", "EAHD", "BTLF"] {
      let wanted = Array(signature.utf8)
      for start in 0..<original.count - 64
      where original[start] == wanted[0] && original[start..<start + 4].elementsEqual(wanted) {
        places.append(start)
        break
      }
    }
    #expect(places.count >= 2)
    for place in places {
      for field in [6, 8, 16] {
        for value in [Self.littleEndian(place), [0xFF, 0xFF, 0xFF, 0x7F]] {
          var bytes = original
          bytes.replaceSubrange(place + field..<place + field + 4, with: value)
          if let report = try Self.report(of: bytes) { #expect(report.kind == .badData, "\(report.line)") }
        }
      }
    }
  }

  /// A B-tree node whose neighbour and child are itself.
  @Test func treeThatBitesItsTailEnds() throws {
    let bytes = try Self.bytes("superblock0.h5")
    let tree = Array("TREE".utf8)
    let nodes = (0..<bytes.count - 64).filter { bytes[$0] == tree[0] && bytes[$0..<$0 + 4].elementsEqual(tree) }
    #expect(nodes.count >= 2)
    for node in nodes.prefix(1) {
      var cyclic = bytes
      let own = Self.littleEndian(node) + [0, 0, 0, 0]
      // Left and right neighbours, then the first child behind its key.
      cyclic.replaceSubrange(node + 8..<node + 16, with: own)
      cyclic.replaceSubrange(node + 16..<node + 24, with: own)
      cyclic.replaceSubrange(node + 32..<node + 40, with: own)
      if let report = try Self.report(of: cyclic) { #expect(report.kind == .badData) }
    }
  }

  @Test(arguments: ["superblock3.h5", "keras2-variable.h5", "filters.h5"])
  func mutationsNeverCrash(_ name: String) throws {
    let original = try Self.bytes(name)
    var random = SeededGenerator(name)
    // Structure stands in the first kilobytes; the data behind it says nothing to the parser.
    for round in 0..<16 {
      let bytes = random.damaged(original, changes: round % 4 + 1, before: round.isMultiple(of: 2) ? 4096 : .max)
      if let report = try Self.report(of: bytes) { #expect(!report.line.isEmpty) }
    }
  }

  private static func littleEndian(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

/// What the sandboxed parser says is not believed: places and sizes are checked against the file.
@Suite struct HDF5IndexTests {
  private static func dataset(_ fields: String) throws -> HDF5Index.Dataset {
    let json = #"{"kind": "float", "size": 4, "bigEndian": false, "# + fields + "}"
    return try JSONDecoder().decode(HDF5Index.Dataset.self, from: Data(json.utf8))
  }

  private func withRange(_ body: (HDF5Reader.FileRange) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try Data(count: 4096).write(to: URL(filePath: directory.file("x")))
    try body(HDF5Reader.FileRange(file: MappedFile(path: directory.file("x")), offset: 1024, count: 2048))
  }

  @Test(arguments: [(-1, 8), (0, -1), (2041, 8), (Int.max, 8), (8, Int.max)])
  func rangesOutsideTheirPartOfTheFileAreRefused(_ offset: Int, _ count: Int) throws {
    try withRange { range in
      #expect(throws: HDF5Error.self) { _ = try range.storage(offset, count, path: "/a") }
    }
  }

  @Test(arguments: [
    #""shape": [4], "chunk": [2, 2], "chunks": []"#, #""shape": [4], "chunk": [0], "chunks": []"#,
    #""shape": [4], "chunk": [-4], "chunks": []"#, #""shape": [4], "chunk": [9223372036854775807], "chunks": []"#,
    #""shape": [4], "chunk": [2], "chunks": [{"offset": 0, "count": 8, "mask": 0, "at": [4]}]"#,
    #""shape": [4], "chunk": [2], "chunks": [{"offset": 0, "count": 8, "mask": 0, "at": [-2]}]"#,
    #""shape": [4], "chunk": [2], "chunks": [{"offset": 0, "count": 8, "mask": 0, "at": [1]}]"#,
    #""shape": [4], "chunk": [2], "chunks": [{"offset": 0, "count": 8, "mask": 0, "at": [0, 0]}]"#,
    #""shape": [4], "chunk": [2], "chunks": [{"offset": 4090, "count": 8, "mask": 0, "at": [0]}]"#,
    #""shape": [4], "chunk": [2], "filters": [32001], "chunks": []"#,
  ])
  func chunksThatLieAreRefused(_ fields: String) throws {
    try withRange { range in
      #expect(throws: HDF5Error.self) {
        _ = try HDF5ChunkedStorage(Self.dataset(fields), size: 16, path: "/a", range)
      }
    }
  }

  @Test func datasetsThatShareSomeBytesAreRefused() throws {
    try withRange { range in
      var extents = HDF5Extents()
      for (path, offset) in [("/a", 0), ("/b", 8)] {
        let dataset = try Self.dataset(#""shape": [4], "layout": "contiguous", "offset": \#(offset), "count": 16"#)
        try extents.add(dataset, range.storage(offset, 16, path: path), path: path, file: range)
      }
      let error = try #require(throws: HDF5Error.self) { try extents.check(file: "x") }
      #expect(error.report.line.hasPrefix("x: /b: shares bytes with /a, at 8"))
    }
  }
}
