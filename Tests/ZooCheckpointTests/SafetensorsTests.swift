import Foundation
import TestSupport
import Testing

@testable import ZooCheckpoint

/// Files that say what is not so.
@Suite struct SafetensorsTests {
  private func read(_ header: String, data: Int, size: UInt64? = nil) throws -> StateDict {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    var bytes = Data()
    withUnsafeBytes(of: (size ?? UInt64(header.utf8.count)).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(Data(header.utf8))
    bytes.append(Data((0..<data).map { UInt8(truncatingIfNeeded: $0) }))
    try bytes.write(to: URL(filePath: directory.file("x.safetensors")))
    return try SafetensorsReader.read(MappedFile(path: directory.file("x.safetensors"))).stateDict
  }

  @Test func aPlainFileIsRead() throws {
    let header =
      #"{"a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}"#
    let stateDict = try read(header, data: 8)
    #expect(stateDict.names == ["a", "b"])
    #expect(try stateDict["a"]?.floats() == [0, 1, 2, 3])
    #expect(stateDict["b"]?.shape == [])
  }

  @Test(arguments: [
    (#"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#, 6),
    (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}"#, 6),
    (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, 6),
    (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,99999999999999999999]}}"#, 4),
    (#"{"a":{"dtype":"X9","shape":[4],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[4]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[4.5],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":[[[[[[[["#, 4), ("[]", 0), ("", 0), ("{", 0), ("\u{0}", 0), (#"{"a":null}"#, 0),
  ])
  func liesAreRefused(header: String, data: Int) throws {
    #expect(throws: SafetensorsError.self) { try read(header, data: data) }
  }

  @Test(arguments: [UInt64.max, 1 << 63, 1 << 40, 200_000_000, 400])
  func aHeaderBeyondTheFileIsRefused(size: UInt64) throws {
    #expect(throws: SafetensorsError.self) { try read("{}", data: 16, size: size) }
  }

  @Test func nestingWithoutEndIsRefused() throws {
    #expect(throws: SafetensorsError.self) { try read(String(repeating: "[", count: 1_000_000), data: 0) }
  }

  /// Whatever byte changes, the reader gives tensors or an error of its own.
  @Test func noFlippedByteIsFatal() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let whole = try Data(contentsOf: URL(filePath: Fixture.path("pytorch/dtypes-p2.expected.safetensors")))
    let path = directory.file("x.safetensors")
    var refused = 0
    for index in 0..<min(whole.count, 1500) {
      var bytes = whole
      bytes[index] ^= UInt8(truncatingIfNeeded: 1 << (index % 8))
      try bytes.write(to: URL(filePath: path))
      do {
        for tensor in try SafetensorsReader.read(MappedFile(path: path)).stateDict.tensors.values {
          _ = try tensor.floats()
        }
      } catch let error as any ReportableError {
        refused += 1
        #expect(error.report.line.contains(path))
      }
    }
    #expect(refused > 100)
  }

  @Test func everyTruncationIsRefused() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let whole = try Data(contentsOf: URL(filePath: Fixture.path("pytorch/dtypes-p2.expected.safetensors")))
    let path = directory.file("x.safetensors")
    for part in 0..<32 {
      try whole.prefix(whole.count * part / 32).write(to: URL(filePath: path))
      #expect(throws: (any Error).self) { try SafetensorsReader.read(MappedFile(path: path)) }
    }
  }
}
