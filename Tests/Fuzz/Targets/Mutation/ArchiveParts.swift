import CZlib

/// A zip archive in its members, put together again with right checksums, sizes and offsets.
struct ArchiveParts {
  struct Member {
    var name: String
    var method: UInt16
    var checksum: UInt32
    /// Before compression.
    var size: UInt32
    var data: [UInt8]
  }

  var members: [Member] = []

  /// Reads an archive as far as it goes; nil where it has no directory.
  init?(_ bytes: [UInt8]) {
    guard let end = (0...max(bytes.count - 22, 0)).last(where: { Self.number(bytes, $0, 4) == 0x0605_4B50 }),
      var place = Self.number(bytes, end + 16, 4)
    else { return nil }
    while Self.number(bytes, place, 4) == 0x0201_4B50, members.count < 256 {
      guard let method = Self.number(bytes, place + 10, 2), let checksum = Self.number(bytes, place + 16, 4),
        let compressed = Self.number(bytes, place + 20, 4), let size = Self.number(bytes, place + 24, 4),
        let nameLength = Self.number(bytes, place + 28, 2), let extraLength = Self.number(bytes, place + 30, 2),
        let commentLength = Self.number(bytes, place + 32, 2), let offset = Self.number(bytes, place + 42, 4),
        let localName = Self.number(bytes, offset + 26, 2), let localExtra = Self.number(bytes, offset + 28, 2),
        let name = Self.range(bytes, place + 46, nameLength),
        let data = Self.range(bytes, offset + 30 + localName + localExtra, compressed)
      else { break }
      members.append(
        Member(
          name: String(decoding: name, as: UTF8.self), method: UInt16(method), checksum: UInt32(checksum),
          size: UInt32(size), data: data))
      place += 46 + nameLength + extraLength + commentLength
    }
    if members.isEmpty { return nil }
  }

  func mutated(random: inout MutationRandom, change: ([UInt8]) -> [UInt8]) -> [UInt8] {
    var parts = self
    let index = random.below(members.count)
    switch random.below(12) {
    case 0: parts.members.remove(at: index)
    case 1: parts.members.insert(members[index], at: random.below(members.count))
    case 2: parts.members.swapAt(index, random.below(members.count))
    case 3: parts.members[index].name = members[random.below(members.count)].name
    case 4: parts.members[index].name = String(decoding: change(Array(members[index].name.utf8)), as: UTF8.self)
    case 5: parts.members[index].method = random.pick([0, 8, 14, 99])
    case 6: return parts.bytes(random: &random)
    default:
      // The members that are parsed matter more than those that are only copied.
      let parsed = members.indices.filter {
        members[$0].name.hasSuffix(".pkl") || members[$0].name.hasSuffix(".json") || members[$0].name.hasSuffix(".h5")
          || members[$0].name.hasSuffix(".npy")
      }
      let chosen = parsed.isEmpty || random.oneIn(6) ? index : random.pick(parsed)
      let member = members[chosen]
      guard member.method == 0 else { break }
      let isPickle = member.name.hasSuffix(".pkl") && random.oneIn(2)
      parts.members[chosen].data =
        isPickle ? PickleParts(member.data).mutated(random: &random) ?? member.data : change(member.data)
      parts.members[chosen].mend()
    }
    return parts.bytes()
  }

  func bytes() -> [UInt8] { assemble().flatMap(\.bytes) }

  /// With one field of one header changed.
  private func bytes(random: inout MutationRandom) -> [UInt8] {
    var pieces = assemble()
    let headers = pieces.indices.filter { pieces[$0].isHeader }
    let chosen = random.pick(headers)
    let place = random.below(pieces[chosen].bytes.count)
    let width = random.pick([1, 2, 4])
    let number = withUnsafeBytes(of: random.integer().littleEndian) { Array($0.prefix(width)) }
    pieces[chosen].bytes.replaceSubrange(place..<min(place + width, pieces[chosen].bytes.count), with: number)
    return pieces.flatMap(\.bytes)
  }

  private func assemble() -> [(bytes: [UInt8], isHeader: Bool)] {
    var pieces: [(bytes: [UInt8], isHeader: Bool)] = []
    var directory: [(bytes: [UInt8], isHeader: Bool)] = []
    var place = 0
    for member in members {
      let name = Array(member.name.utf8.prefix(1 << 16 - 1))
      let fields =
        Self.little(member.method, 2) + Self.little(0, 4) + Self.little(member.checksum, 4)
        + Self.little(member.data.count, 4) + Self.little(member.size, 4) + Self.little(name.count, 2) + [0, 0]
      let local = Self.little(0x0403_4B50, 4) + [20, 0, 0, 0] + fields + name
      let central = Self.little(0x0201_4B50, 4) + [20, 0, 20, 0, 0, 0] + fields
      directory.append((central + [UInt8](repeating: 0, count: 10) + Self.little(place, 4) + name, true))
      pieces += [(local, true), (member.data, false)]
      place += local.count + member.data.count
    }
    let size = directory.reduce(0) { $0 + $1.bytes.count }
    let count = Self.little(members.count, 2)
    let sizes = count + count + Self.little(size, 4) + Self.little(place, 4)
    let end = Self.little(0x0605_4B50, 4) + [0, 0, 0, 0] + sizes + [0, 0]
    return pieces + directory + [(end, true)]
  }

  private static func little(_ value: some BinaryInteger, _ count: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt64(truncatingIfNeeded: value).littleEndian) { Array($0.prefix(count)) }
  }

  private static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int? {
    range(bytes, place, count).map { $0.reversed().reduce(0) { $0 << 8 | Int($1) } }
  }

  private static func range(_ bytes: [UInt8], _ place: Int, _ count: Int) -> [UInt8]? {
    place >= 0 && count >= 0 && place <= bytes.count && count <= bytes.count - place
      ? Array(bytes[place..<place + count]) : nil
  }
}

extension ArchiveParts.Member {
  /// Makes checksum and size right again after the data changed.
  fileprivate mutating func mend() {
    size = UInt32(truncatingIfNeeded: data.count)
    checksum = data.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
  }
}
