import ZooCheckpoint
/// How an input is put together, and how it is changed so that its checksums and lengths stay right.
public enum InputStructure: Sendable {
  case bytes, archive, pickle, safetensors, json, protobuf
  /// JSON or protobuf, by how the input begins.
  case tokenizer
  /// Any of them, by what the input is.
  case mixed

  /// Changes the input along its structure; nil where the input has none of that kind left.
  ///
  /// - Parameter change: changes plain bytes, as a fuzzer does.
  func mutated(
    _ input: [UInt8], random: inout MutationRandom, change: ([UInt8]) -> [UInt8]
  ) -> [UInt8]? {
    switch self {
    case .bytes: nil
    case .tokenizer:
      switch input.first {
      case UInt8(ascii: "{"): JSONParts(input).mutated(random: &random)
      case 0x0A: ProtobufParts(input)?.mutated(random: &random, change: change)
      default: nil
      }
    case .mixed:
      ArchiveParts(input)?.mutated(random: &random, change: change)
        ?? (input.first == 0x80 ? PickleParts(input).mutated(random: &random) : nil)
    case .archive: ArchiveParts(input)?.mutated(random: &random, change: change)
    case .pickle: PickleParts(input).mutated(random: &random)
    case .safetensors: SafetensorsParts(input)?.mutated(random: &random, change: change)
    case .json: JSONParts(input).mutated(random: &random)
    case .protobuf: ProtobufParts(input)?.mutated(random: &random, change: change)
    }
  }
}

/// Random numbers that a seed gives again.
public typealias MutationRandom = SeededGenerator

extension SeededGenerator {
  mutating func below(_ count: Int) -> Int { count > 0 ? Int(next() % UInt64(count)) : 0 }
  mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  /// Where arithmetic goes wrong.
  mutating func integer() -> Int {
    let edges = [
      0, 1, 2, 3, 4, 7, 8, 16, 64, 127, 128, 255, 256, 1000, 65535, 65536, 1 << 20, 1 << 24, Int(Int32.max), 1 << 31,
      Int(UInt32.max), 1 << 32, 1 << 40, 1 << 53, 1 << 60, 1 << 61, 1 << 62, Int.max - 1, Int.max, Int.min, -1, -2,
    ]
    return oneIn(4) ? Int(truncatingIfNeeded: next()) >> below(64) : pick(edges)
  }
}
