import FuzzTargets
import Testing

/// Inputs that once were findings, and a short run with fixed seeds; `make fuzz` runs the long ones.
@Suite struct FuzzTests {
  @Test(arguments: FuzzTarget.allCases)
  func findingsStayMended(_ target: FuzzTarget) {
    for (_, bytes) in Seeds.regressions(of: target) { bytes.withUnsafeBytes { _ = target.run($0) } }
  }

  @Test func everyKindOfTokenizerIsASeed() {
    let seeds = Seeds.inputs(for: .tokenizer)
    #expect(seeds.count == 7)
    for (name, bytes) in seeds {
      let isTaken = bytes.withUnsafeBytes { FuzzTarget.tokenizer.run($0) }
      #expect(isTaken, "\(name)")
    }
  }

  @Test(arguments: FuzzTarget.allCases)
  func seedsAreReadAndTheirMutationsEndInWords(_ target: FuzzTarget) {
    // Small inputs reach as much code, sooner.
    let seeds = Seeds.inputs(for: target).sorted { $0.bytes.count < $1.bytes.count }.prefix(12)
    #expect(!seeds.isEmpty)
    #expect(seeds.contains { $0.bytes.withUnsafeBytes { target.run($0) } } || target.needsOtherFiles)
    guard !seeds.isEmpty else { return }
    var pool = seeds.map(\.bytes)
    for round in 0..<(target.usesHDF5 ? 300 : 1500) {
      let input = Mutation.mutate(pool[round % pool.count], for: target, seed: UInt64(round))
      // What was taken is changed further.
      if input.withUnsafeBytes({ target.run($0) }), pool.count < 64, input.count < 1 << 14 { pool.append(input) }
    }
  }
}
