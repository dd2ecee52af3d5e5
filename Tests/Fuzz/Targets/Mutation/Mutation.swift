/// Makes inputs out of others.
public enum Mutation {
  /// Changes an input: half of the time along the structure that the target's inputs have.
  ///
  /// - Parameter change: changes plain bytes and sees their coverage, where a fuzzer drives; else this file's own.
  public static func mutate(
    _ input: [UInt8], for target: FuzzTarget, seed: UInt64, change: (([UInt8]) -> [UInt8])? = nil
  ) -> [UInt8] {
    var random = MutationRandom(seed: seed)
    var inner = MutationRandom(seed: random.next())
    let change = change ?? { changeBytes($0, random: &inner) }
    if random.oneIn(2), let output = target.structure.mutated(input, random: &random, change: change) { return output }
    return change(input)
  }

  static func changeBytes(_ input: [UInt8], random: inout MutationRandom) -> [UInt8] {
    var bytes = input
    for _ in 0...random.below(3) {
      let place = random.below(bytes.count)
      guard !bytes.isEmpty else { return [UInt8(truncatingIfNeeded: random.next())] }
      switch random.below(7) {
      case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
      case 1: bytes[place] ^= 1 << UInt8(random.below(8))
      case 2: bytes.remove(at: place)
      case 3: bytes.insert(random.pick([0, 0xFF, 0x7F, 0x80, 0x28, 0x2E]), at: place)
      case 4: bytes.removeSubrange(place..<min(place + 1 + random.below(16), bytes.count))
      case 5:
        let from = random.below(bytes.count)
        bytes.insert(contentsOf: bytes[from..<min(from + 1 + random.below(32), bytes.count)], at: place)
      default:
        let number = withUnsafeBytes(of: random.integer().littleEndian) { Array($0.prefix(random.pick([2, 4, 8]))) }
        bytes.replaceSubrange(place..<min(place + number.count, bytes.count), with: number)
      }
    }
    return bytes
  }
}
