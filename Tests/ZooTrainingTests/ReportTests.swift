import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooVision

@testable import ZooTraining

@Suite struct ReportTests {
  /// Bytes that the `tensorboard` package's own reader gave the right scalars for; see `Tests/Parity/curves.py`.
  @Test func recordsHaveLengthsAndChecksums() throws {
    let record = EpochRecord(
      epoch: 3, trainingLoss: 0.5, trainingScore: 0.75, validationLoss: 0.25, validationScore: 1,
      learningRate: 0.1)
    let bytes = TensorBoardEvents.bytes([record], time: 100)
    // The first record: a time and the version, 24 bytes.
    #expect(bytes[0] == 24 && bytes[1..<8].allSatisfy { $0 == 0 })
    #expect(String(decoding: bytes[23..<36], as: UTF8.self) == "brain.Event:2")
    let sum = bytes[12..<36].withUnsafeBytes(CRC32C.masked)
    #expect(bytes[36..<40].elementsEqual(withUnsafeBytes(of: sum.littleEndian) { Array($0) }))
    #expect(String(decoding: bytes, as: UTF8.self).contains("accuracy/validation"))
  }

  @Test func f1IsTheHarmonicMean() throws {
    var matrix = ConfusionMatrix(labels: ["a", "b"])
    for (truth, prediction) in [(0, 0), (0, 0), (0, 1), (1, 1)] { matrix.add(truth: truth, prediction: prediction) }
    let (precision, recall) = (try #require(matrix.precision(1)), try #require(matrix.recall(1)))
    #expect(matrix.f1(1) == 2 * precision * recall / (precision + recall))
    #expect(ConfusionMatrix(labels: ["a"]).f1(0) == nil)
  }

  @Test func lookalikesAreFound() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    func draw(_ name: String, seed: UInt64, side: Int) throws -> Example {
      var random = SeededGenerator(seed: seed)
      let coarse = Picture(width: 6, height: 6, pixels: (0..<108).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      let picture = coarse.resized(width: side, height: side, filter: .bicubic)
      try Data(PNGEncoder.encode(picture)).write(to: URL(filePath: folder.file(name)))
      return Example(path: folder.file(name), name: name, label: 0, digest: nil)
    }
    let training = try (0..<5).map { try draw("t\($0).png", seed: UInt64($0), side: 60) }
    let validation = [try draw("same.png", seed: 3, side: 41), try draw("other.png", seed: 77, side: 60)]
    let pairs = NearDuplicates.find(training: training, validation: validation)
    #expect(pairs.map(\.validation.name) == ["same.png"] && pairs.map(\.training.name) == ["t3.png"])
  }
}
