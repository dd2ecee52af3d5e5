/// Pickles, or bytes that begin with some, in their opcodes.
struct PickleParts {
  /// Each an opcode with its argument; what is no pickle stands in the last.
  private var parts: [[UInt8]] = []
  private let rest: [UInt8]

  init(_ bytes: [UInt8]) {
    var place = 0
    while place < bytes.count, parts.count < 1 << 14, let length = Self.length(bytes, at: place) {
      parts.append(Array(bytes[place..<place + length]))
      place += length
    }
    rest = Array(bytes[place...])
  }

  func mutated(random: inout MutationRandom) -> [UInt8]? {
    guard !parts.isEmpty else { return nil }
    var parts = parts
    for _ in 0...random.below(3) where !parts.isEmpty {
      let index = random.below(parts.count)
      switch random.below(7) {
      case 0: parts.remove(at: index)
      case 1: parts.insert(parts[random.below(parts.count)], at: index)
      case 2: parts.swapAt(index, random.below(parts.count))
      case 3: parts.insert(Self.opcode(random: &random), at: index)
      case 4: parts[index] = Self.opcode(random: &random)
      case 5:
        let run = parts[index..<min(index + 1 + random.below(12), parts.count)]
        parts.insert(contentsOf: run, at: random.below(parts.count))
      default: parts[index] = Mutation.changeBytes(parts[index], random: &random)
      }
    }
    return parts.flatMap { $0 } + rest
  }

  private static let names = [
    "torch._utils\n_rebuild_tensor_v2", "torch._utils\n_rebuild_tensor_v3", "torch._utils\n_rebuild_parameter",
    "torch._tensor\n_rebuild_from_type_v2", "torch\nFloatStorage", "torch.storage\nUntypedStorage",
    "collections\nOrderedDict", "torch\nSize", "torch\nfloat32", "torch.nn.modules.linear\nLinear", "os\nsystem",
    "torch._utils\n_rebuild_qtensor", "torch.fx.graph_module\nreduce_graph_module", "builtins\nset",
  ]
  private static let texts = [
    "storage", "cpu", "0", "_parameters", "_modules", "_buffers", "_metadata", "version", "state_dict", "module",
    "conj", "_non_persistent_buffers_set", "weight",
  ]

  /// Opcodes that take no argument.
  private static let bare =
    Array("(.012NQRabdegloqs)t]}u".utf8) + [0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8F, 0x90, 0x91, 0x92]

  private static func opcode(random: inout MutationRandom) -> [UInt8] {
    switch random.below(6) {
    case 0: return [0x63] + Array(random.pick(names).utf8) + [0x0A]
    case 1:
      let text = Array(random.pick(texts).utf8)
      return [0x8C, UInt8(text.count)] + text
    case 2: return [0x8A, 8] + withUnsafeBytes(of: random.integer().littleEndian) { Array($0) }
    case 3: return [random.pick([0x68, 0x71]), UInt8(random.below(32))]
    default:
      return [random.pick(bare)]
    }
  }

  /// Bytes of the opcode at `place` with its argument; nil where there is none or it is cut.
  private static func length(_ bytes: [UInt8], at place: Int) -> Int? {
    func counted(_ width: Int) -> Int? {
      guard place + 1 + width <= bytes.count else { return nil }
      let count = bytes[place + 1..<place + 1 + width].reversed().reduce(0) { $0 << 8 | Int($1) }
      return count <= bytes.count - place ? 1 + width + count : nil
    }
    func lines(_ count: Int) -> Int? {
      var (end, left) = (place + 1, count)
      while end < bytes.count, left > 0 {
        if bytes[end] == 0x0A { left -= 1 }
        end += 1
      }
      return left == 0 ? end - place : nil
    }
    let length: Int?
    switch bytes[place] {
    case 0x80, 0x4B, 0x68, 0x71, 0x82: length = 2
    case 0x4D, 0x83: length = 3
    case 0x4A, 0x6A, 0x72, 0x84: length = 5
    case 0x47, 0x95: length = 9
    case 0x8A, 0x55, 0x8C, 0x43: length = counted(1)
    case 0x8B, 0x54, 0x58, 0x42: length = counted(4)
    case 0x8D, 0x8E, 0x96: length = place + 9 <= bytes.count && bytes[place + 8] == 0 ? counted(7).map { $0 + 1 } : nil
    case 0x49, 0x4C, 0x46, 0x53, 0x56, 0x67, 0x70, 0x50: length = lines(1)
    case 0x63, 0x69: length = lines(2)
    case 0x28...0x75, 0x7D, 0x81...0x98, 0x5D: length = 1
    default: length = nil
    }
    return length.flatMap { $0 <= bytes.count - place ? $0 : nil }
  }
}
