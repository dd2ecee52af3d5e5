import CZlib
import Foundation

@testable import ZooFormats

/// Writes zip archives whose two headers say what the test wants.
struct ZipAssembler {
  struct Member {
    var name: String
    var data: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    /// What the directory claims, where it lies.
    var size: Int?
    var checksum: UInt32?
    var localName: String?
    var localOffset: Int?
    var localFlags: UInt16?
    /// Extra fields of the directory's header.
    var extra: [UInt8] = []
  }

  var members: [Member]
  /// Added to the directory's offset, its count and in front of the file.
  var offsetError = 0
  var countError = 0
  var prefix: [UInt8] = []
  /// A 64-bit end record, and what stands between it and its locator.
  var hasZip64 = false
  var zip64Gap: [UInt8] = []
  var zip64Disk: UInt32 = 0

  /// A PyTorch archive of `data.pkl` and one storage of four float32.
  static func checkpoint(_ pickle: [UInt8] = PickleAssembler.stateDict()) -> ZipAssembler {
    ZipAssembler(members: [
      Member(name: "archive/data.pkl", data: pickle),
      Member(
        name: "archive/data/0",
        data: [Float](arrayLiteral: 1, 2, 3, 4).flatMap { PickleAssembler.little($0.bitPattern) }),
    ])
  }

  func bytes() -> [UInt8] {
    var file = prefix
    var directory: [UInt8] = []
    for member in members {
      let checksum = member.checksum ?? Self.checksum(member.data)
      let offset = member.localOffset ?? file.count
      let size = UInt32(member.size ?? member.data.count)
      let compressed = member.method == 0 ? size : UInt32(member.data.count)
      func fields(_ name: String, flags: UInt16) -> [UInt8] {
        [UInt16](arrayLiteral: flags, member.method, 0, 0).flatMap(PickleAssembler.little)
          + [checksum, compressed, size].flatMap(PickleAssembler.little)
          + PickleAssembler.little(UInt16(name.utf8.count))
      }
      let localName = member.localName ?? member.name
      let localFlags = member.localFlags ?? member.flags
      file += PickleAssembler.little(UInt32(0x0403_4B50)) + [20, 0] + fields(localName, flags: localFlags)
      file += [0, 0]
      file += Array(localName.utf8) + member.data
      directory += PickleAssembler.little(UInt32(0x0201_4B50)) + [20, 0, 20, 0]
      directory += fields(member.name, flags: member.flags) + PickleAssembler.little(UInt16(member.extra.count))
      directory += [UInt8](repeating: 0, count: 10) + PickleAssembler.little(UInt32(offset)) + Array(member.name.utf8)
      directory += member.extra
    }
    let start = file.count
    file += directory
    if hasZip64 { file += zip64(start: start, size: directory.count, place: file.count) }
    file += PickleAssembler.little(UInt32(0x0605_4B50)) + [0, 0, 0, 0]
    let count = PickleAssembler.little(UInt16(members.count + countError))
    file += count + count + PickleAssembler.little(UInt32(directory.count))
    return file + PickleAssembler.little(UInt32(start + offsetError)) + [0, 0]
  }

  private func zip64(start: Int, size: Int, place: Int) -> [UInt8] {
    let counts = [UInt64](arrayLiteral: UInt64(members.count), UInt64(members.count), UInt64(size), UInt64(start))
    let record =
      PickleAssembler.little(UInt32(0x0606_4B50)) + PickleAssembler.little(UInt64(44)) + [45, 0, 45, 0]
      + PickleAssembler.little(zip64Disk) + [0, 0, 0, 0] + counts.flatMap(PickleAssembler.little)
    return record + zip64Gap + PickleAssembler.little(UInt32(0x0706_4B50)) + [0, 0, 0, 0]
      + PickleAssembler.little(UInt64(place)) + [1, 0, 0, 0]
  }

  static func checksum(_ data: [UInt8]) -> UInt32 {
    var checksum = RunningChecksum()
    data.withUnsafeBytes { checksum.update($0) }
    return checksum.value
  }

  /// A raw deflate stream of so many zeros.
  static func deflatedZeros(_ count: Int) -> [UInt8] {
    let zeros = [UInt8](repeating: 0, count: count)
    var output = [UInt8](repeating: 0, count: count / 500 + 1000)
    var length = uLongf(output.count)
    compress2(&output, &length, zeros, uLong(count), 9)
    // The zlib frame is two bytes before and a checksum of four after.
    return Array(output[2..<(Int(length) - 4)])
  }
}

/// Opens bytes as a file.
func open(_ bytes: [UInt8], salvage: Bool = false) throws -> WeightFile {
  let path = FileManager.default.temporaryDirectory.appending(path: "zoo-attack-\(UUID().uuidString)").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  try Data(bytes).write(to: URL(filePath: path))
  return try WeightFile.open(path: path, salvage: salvage)
}
