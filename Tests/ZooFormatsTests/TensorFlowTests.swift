import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

@Suite struct TensorFlowTests {
  private static let folder = Fixture.path("tf_checkpoint")
  private static let stem = folder + "/model.ckpt-7"

  @Test(arguments: ["", ".index"])
  func checkpointGivesItsTensorsByEitherName(_ suffix: String) throws {
    let expected = try SafetensorsReader.read(MappedFile(path: Self.folder + "/model.expected.safetensors")).stateDict
    let found = try WeightFile.open(path: Self.stem + suffix)
    #expect(found.format == .tensorFlowCheckpoint)
    #expect(Set(found.stateDict.names) == Set(expected.names))
    for (name, tensor) in found.stateDict.tensors {
      #expect(try tensor.isSame(as: #require(expected[name])), "\(name)")
      #expect(tensor.storage.fileRange != nil)
    }
    #expect(Set(found.skipped.map(\.name)) == ["_CHECKPOINTABLE_OBJECT_GRAPH", "encoder/layer_0/kernel_slot_vr"])
    try found.checkRecords()
  }

  /// Opens copies of the files after `change`.
  private func open(_ change: (inout [UInt8], inout [UInt8]) -> Void) throws -> WeightFile {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    var index = [UInt8](try Data(contentsOf: URL(filePath: Self.stem + ".index")))
    var data = [UInt8](try Data(contentsOf: URL(filePath: Self.stem + ".data-00000-of-00002")))
    let other = try Data(contentsOf: URL(filePath: Self.stem + ".data-00001-of-00002"))
    change(&index, &data)
    try Data(index).write(to: URL(filePath: directory.file("x.index")))
    try Data(data).write(to: URL(filePath: directory.file("x.data-00000-of-00002")))
    try other.write(to: URL(filePath: directory.file("x.data-00001-of-00002")))
    let file = try WeightFile.open(path: directory.file("x.index"))
    for tensor in file.stateDict.tensors.values { _ = try tensor.floats() }
    return file
  }

  @Test func aFlippedBitOfTheDataIsFound() throws {
    let file = try open { _, data in data[3] ^= 1 }
    let error = try #require(throws: TensorFlowError.self) { try file.checkRecords() }
    #expect(error.report.problem.contains("CRC-32C"))
  }

  @Test func aFlippedByteOfTheIndexIsFound() throws {
    let count = try Data(contentsOf: URL(filePath: Self.stem + ".index")).count
    // The footer's padding means nothing.
    for place in stride(from: 0, to: count - 48, by: 5) {
      #expect(throws: (any Error).self, "byte \(place)") { _ = try open { index, _ in index[place] ^= 0x11 } }
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let count = try Data(contentsOf: URL(filePath: Self.stem + ".index")).count
    for cut in stride(from: 1, to: count, by: 7) {
      #expect(throws: (any Error).self, "cut to \(cut)") { _ = try open { index, _ in index = Array(index[..<cut]) } }
    }
    #expect(throws: TensorFlowError.self) { _ = try open { _, data in data.removeLast() } }
    #expect(throws: FileError.self) { _ = try open { _, data in data = [] } }
  }

  @Test func liesWithRightChecksumsNeverCrash() throws {
    let original = [UInt8](try Data(contentsOf: URL(filePath: Self.stem + ".index")))
    var random = SeededGenerator(seed: 11)
    // The blocks are found by their checksums, and given new ones after the damage.
    var blocks: [Range<Int>] = []
    var (start, checksum) = (0, CRC32C())
    for place in original.indices.dropLast(52) {
      if place < start { continue }
      original[place...place].withUnsafeBytes { checksum.update($0) }
      let stored = original[(place + 1)..<(place + 5)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      guard place > start + 4, original[place] == 0, checksum.masked == stored else { continue }
      blocks.append(start..<place)
      (start, checksum) = (place + 5, CRC32C())
    }
    #expect(blocks.count > 3)
    for round in 0..<150 {
      guard let block = blocks.randomElement(using: &random) else { continue }
      _ = try? open { index, _ in
        for _ in 0...(round % 3) {
          index[Int.random(in: block, using: &random)] = UInt8(truncatingIfNeeded: random.next())
        }
        let checksum = index[block.lowerBound...block.upperBound].withUnsafeBytes(CRC32C.masked)
        index.replaceSubrange((block.upperBound + 1)..<(block.upperBound + 5), with: PickleAssembler.little(checksum))
      }
    }
  }

  @Test func graphsAreNamedWithAdvice() throws {
    let node: [UInt8] = [0x0A, 9, 0x0A, 1, 0x78, 0x12, 4] + Array("Cons".utf8)
    let error = try #require(throws: FormatError.self) { _ = try ZooFormatsTests.open(node) }
    #expect(error.report.problem.contains("TensorFlow graph"))
    #expect(error.report.advice?.contains("save_weights") == true)
  }
}
