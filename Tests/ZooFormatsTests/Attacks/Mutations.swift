import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

extension SeededGenerator {
  /// The bytes with one change or a few: set, flipped, overwritten, and removed and added where `inserting` names bytes
  /// that mean something to the format.
  mutating func damaged(_ bytes: [UInt8], changes: Int, before end: Int = .max, inserting: [UInt8] = []) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<changes where !bytes.isEmpty {
      let place = Int(next() % UInt64(min(bytes.count, end)))
      switch next() % (inserting.isEmpty ? 3 : 5) {
      case 0: bytes[place] = UInt8(truncatingIfNeeded: next())
      case 1: bytes[place] ^= 1 << UInt8(next() % 8)
      case 2:
        let run = place..<min(place + 8, bytes.count)
        bytes.replaceSubrange(run, with: repeatElement(0xFF, count: inserting.isEmpty ? run.count : 4))
      case 3: bytes.remove(at: place)
      default: bytes.insert(inserting[Int(next() % UInt64(inserting.count))], at: place)
      }
    }
    return bytes
  }
}

/// Opens mutated bytes and touches every tensor; any error must be one that people can read, and that `accepts` takes.
func expectNoMutationCrashes(
  _ original: [UInt8], rounds: Int, seed: String, inserting: [UInt8] = [0, 0xFF, 0x7F],
  accepts: (ErrorReport) -> Bool = { !$0.line.isEmpty }
) throws {
  var random = SeededGenerator(seed)
  for round in 0..<rounds {
    let bytes = random.damaged(original, changes: round % 4 + 1, inserting: inserting)
    do {
      let file = try open(bytes, salvage: round.isMultiple(of: 2))
      for tensor in file.stateDict.tensors.values { _ = try tensor.floats() }
      try file.checkRecords()
    } catch let error as any ReportableError {
      #expect(accepts(error.report), "\(error.report.line)")
    }
  }
}
