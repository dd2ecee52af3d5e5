import Foundation
import TestSupport
import Testing

@testable import ZooCheckpoint

@Suite struct PipelineTests {
  private func withFolder(_ body: (TemporaryDirectory) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try body(directory)
  }

  private static func noise(_ count: Int) -> [UInt8] {
    var random = SeededGenerator(seed: 1)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  /// Sizes around the pieces' 4 MiB; past the page cache and through it.
  @Test(arguments: [0, 1, 4095, (4 << 20) - 200, (4 << 20) - 192, (9 << 20) + 17], [0, WritePipeline.large])
  func appendedBytesStandWhereTheyBelong(count: Int, expected: Int) throws {
    try withFolder { directory in
      let bytes = Self.noise(count)
      try Data(bytes + [7]).write(to: URL(filePath: directory.file("source")))
      let source = try MappedFile(path: directory.file("source"))
      let file = try AtomicFile(path: directory.file("x"), overwrite: false)
      file.skip(192)
      file.startDigest(expected: expected)
      // Half out of memory in pieces of no round size, half out of a file.
      let half = count / 2
      for start in stride(from: 0, to: half, by: 777_777) {
        try bytes[start..<min(start + 777_777, half)].withUnsafeBytes { try file.write($0) }
      }
      try file.copy(from: source, offset: half, count: count - half)
      #expect(file.count == 192 + count)
      let digest = try file.digest()
      try file.write(UnsafeRawBufferPointer(start: nil, count: 0))
      try [UInt8](repeating: 9, count: 192).withUnsafeBytes { try file.write($0, at: 0) }
      try file.commit()
      let written = try Data(contentsOf: URL(filePath: directory.file("x")))
      #expect(written == Data([UInt8](repeating: 9, count: 192) + bytes))
      try Data(bytes).write(to: URL(filePath: directory.file("bytes")))
      let whole = count == 0 ? Digest.sha256(of: "") : try SourceDigest(path: directory.file("bytes")).wait()
      #expect(digest == whole)
    }
  }

  @Test func digestIsThatOfAPublishedExample() throws {
    try withFolder { directory in
      try Data("abc".utf8).write(to: URL(filePath: directory.file("x")))
      // FIPS 180-2, appendix B.1.
      #expect(
        try SourceDigest(path: directory.file("x")).wait()
          == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
    #expect(throws: FileError.notFound(file: "/none")) { try SourceDigest(path: "/none") }
  }

  @Test func aFullDiskIsToldAndEndsTheWriting() throws {
    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    let pipeline = WritePipeline(descriptor: full, path: "x", offset: 0, expected: 0)
    let bytes = [UInt8](repeating: 1, count: 1 << 20)
    let error = #expect(throws: FileError.self) {
      for _ in 0..<64 { try bytes.withUnsafeBytes { try pipeline.append($0) } }
      _ = try pipeline.finish()
    }
    #expect(error == .system(file: "x", operation: "write", code: ENOSPC))
  }

  @Test func aSourceThatIsShorterThanItWasIsAnError() throws {
    try withFolder { directory in
      try Data(Self.noise(100_000)).write(to: URL(filePath: directory.file("source")))
      let source = try MappedFile(path: directory.file("source"))
      truncate(directory.file("source"), 50_000)
      let file = try AtomicFile(path: directory.file("x"), overwrite: false)
      file.startDigest(expected: 0)
      #expect(throws: FileError.system(file: source.path, operation: "read", code: EIO)) {
        try file.copy(from: source, offset: 0, count: 100_000)
      }
    }
  }
}
