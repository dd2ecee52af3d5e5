/// JSON text in its tokens.
struct JSONParts {
  private var tokens: [[UInt8]] = []

  init(_ bytes: [UInt8]) {
    var place = 0
    while place < bytes.count, tokens.count < 1 << 14 {
      let start = place
      place += 1
      switch bytes[start] {
      case 0x22:
        while place < bytes.count, bytes[place] != 0x22 { place += bytes[place] == 0x5C ? 2 : 1 }
        place = min(place + 1, bytes.count)
      case 0x2D, 0x2B, 0x2E, 0x30...0x39, 0x41...0x5A, 0x61...0x7A:
        while place < bytes.count, Self.isWord(bytes[place]) { place += 1 }
      default: break
      }
      tokens.append(Array(bytes[start..<place]))
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2D, 0x2B, 0x2E, 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }

  func mutated(random: inout MutationRandom) -> [UInt8]? {
    guard !tokens.isEmpty else { return nil }
    var tokens = tokens
    for _ in 0...random.below(3) where !tokens.isEmpty {
      let index = random.below(tokens.count)
      let numbers = tokens.indices.filter { tokens[$0].first.map { (0x30...0x39).contains($0) || $0 == 0x2D } ?? false }
      switch random.below(8) {
      case 0: tokens.remove(at: index)
      case 1: tokens.insert(tokens[random.below(tokens.count)], at: index)
      case 2: tokens.swapAt(index, random.below(tokens.count))
      case 3:
        let run = tokens[index..<min(index + 1 + random.below(24), tokens.count)]
        tokens.insert(contentsOf: run, at: random.below(tokens.count))
      case 4: tokens[index] = Array(random.pick(["null", "true", "[]", "{}", "\"\"", "1e999", "-0", "0.5"]).utf8)
      case 5: tokens[index] = Mutation.changeBytes(tokens[index], random: &random)
      default: if !numbers.isEmpty { tokens[random.pick(numbers)] = Array("\(random.integer())".utf8) }
      }
    }
    return tokens.flatMap { $0 }
  }
}

/// A safetensors file in header and data; the header's length is made right again.
struct SafetensorsParts {
  private let header: [UInt8]
  private let data: [UInt8]

  init?(_ bytes: [UInt8]) {
    guard bytes.count > 8 else { return nil }
    let length = bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(bytes.count - 8) else { return nil }
    header = Array(bytes[8..<8 + Int(length)])
    data = Array(bytes[(8 + Int(length))...])
  }

  func mutated(random: inout MutationRandom, change: ([UInt8]) -> [UInt8]) -> [UInt8]? {
    let changed = random.oneIn(3) ? change(header) : JSONParts(header).mutated(random: &random)
    guard let changed else { return nil }
    let length = withUnsafeBytes(of: UInt64(changed.count).littleEndian) { Array($0) }
    return length + changed + data
  }
}
