import Testing
import ZooCheckpoint

@testable import ZooFormats

@Suite struct ZipAttackTests {
  private func fault(_ archive: ZipAssembler) throws -> ZipError.Fault {
    do {
      _ = try open(archive.bytes())
    } catch let error as ZipError {
      #expect(error.report.kind == .badData)
      return error.fault
    }
    throw Unexpected.opened("zip")
  }

  @Test func soundArchiveOpens() throws {
    let file = try open(ZipAssembler.checkpoint().bytes())
    #expect(try file.stateDict["w"]?.floats() == [1, 2, 3, 4])
  }

  @Test func duplicateNameIsRefused() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members.append(archive.members[0])
    #expect(try fault(archive) == .duplicateName)
  }

  @Test func encryptedMemberIsRefused() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[1].flags = 1
    #expect(try fault(archive) == .encrypted)
  }

  @Test(arguments: [0x01, 0x20, 0x40, 0x2000] as [UInt16])
  func flagThatOtherReadersTakeForEncryptionIsRefusedInEitherHeader(_ flag: UInt16) throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[1].flags = flag
    archive.members[1].localFlags = 0
    #expect(try fault(archive) == .encrypted)
    archive.members[1].flags = 0
    archive.members[1].localFlags = flag
    #expect(try fault(archive) == .encrypted)
  }

  @Test func sizesThatFollowTheDataAreTakenFromTheDirectory() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[1].flags = 8
    #expect(try open(archive.bytes()).stateDict["w"]?.floats() == [1, 2, 3, 4])
  }

  @Test func secondNameInAUnicodeFieldIsRefused() throws {
    var archive = ZipAssembler.checkpoint()
    func field(_ name: String) -> [UInt8] {
      [0x75, 0x70] + PickleAssembler.little(UInt16(5 + name.utf8.count)) + [1, 0, 0, 0, 0] + Array(name.utf8)
    }
    archive.members[1].extra = field("archive/data/0")
    _ = try open(archive.bytes())
    archive.members[1].extra = field("archive/data/1")
    guard case .localDiffers(field: "the Unicode name", _, _) = try fault(archive) else {
      throw Unexpected.opened("name")
    }
  }

  @Test func zip64RecordThatReadersFindInDifferentPlacesIsRefused() throws {
    var archive = ZipAssembler.checkpoint()
    archive.hasZip64 = true
    #expect(try open(archive.bytes()).stateDict.names == ["w"])
    archive.zip64Gap = [UInt8](repeating: 0, count: 56)
    #expect(try fault(archive) == .ambiguousDirectory)
    archive.zip64Gap = []
    archive.zip64Disk = 1
    #expect(try fault(archive) == .severalDisks)
  }

  @Test func unpackedMembersAreKeptUpToALimitOfTheArchive() {
    let budget = UnpackedBudget()
    #expect(budget.take(60 << 20))
    #expect(!budget.take(5 << 20))
    #expect(budget.take(4 << 20))
  }

  @Test(arguments: ["archive/../../etc/passwd", "/etc/passwd", "archive\\..\\x", "a\u{0}b"])
  func nameThatLeavesTheArchiveIsRefused(_ name: String) throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[1].name = name
    #expect(try fault(archive) == .unsafeName)
  }

  @Test func nameThatDiffersBesideTheDataIsRefused() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[1].localName = "archive/data/1"
    #expect(
      try fault(archive) == .localDiffers(field: "name", local: "archive/data/1", central: "archive/data/0"))
  }

  @Test func overlappingMembersAreRefused() throws {
    var archive = ZipAssembler.checkpoint()
    // A whole member hidden in the bytes of another.
    let inner = archive.bytes()
    archive.members = [
      .init(name: "archive/data/0", data: inner),
      .init(name: "archive/data.pkl", data: PickleAssembler.stateDict(), localOffset: 30 + "archive/data/0".utf8.count),
    ]
    guard case .overlap = try fault(archive) else { throw Unexpected.opened("overlap") }
  }

  @Test func memberSizeBeyondTheFileIsRefused() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[1].size = 0x7FFF_FFFF
    guard case .truncated = try fault(archive) else { throw Unexpected.opened("size") }
  }

  @Test func bombIsRefusedBeforeItIsUnpacked() throws {
    var archive = ZipAssembler.checkpoint()
    let size = 64 << 20
    archive.members[1] = .init(
      name: "archive/data/0", data: ZipAssembler.deflatedZeros(size), method: 8, size: size, checksum: 1)
    let compressed = archive.members[1].data.count
    #expect(try fault(archive) == .expandsTooFar(compressed: compressed, size: size))
  }

  @Test(arguments: [15, 17])
  func deflatedMemberOfAnotherSizeIsRefusedWhenRead(_ size: Int) throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[1] = .init(
      name: "archive/byteorder", data: ZipAssembler.deflatedZeros(16), method: 8, size: size)
    guard case .inflate(_, size) = try fault(archive) else { throw Unexpected.opened("inflate") }
  }

  @Test func flippedBitIsRefusedWhenTheTensorIsRead() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[1].checksum = 0x1234_5678
    let file = try open(archive.bytes())
    #expect(throws: ZipError.self) { try file.checkRecords() }
    #expect(throws: ZipError.self) { try file.stateDict["w"]?.floats() }
  }

  @Test func flippedBitInThePickleIsRefused() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[0].checksum = 0x1234_5678
    guard case .checksum(_, 0x1234_5678) = try fault(archive) else { throw Unexpected.opened("checksum") }
  }

  @Test func unknownMethodIsRefused() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members[1].method = 14
    #expect(try fault(archive) == .unsupportedMethod(14))
  }

  @Test func directoryThatMiscountsIsRefused() throws {
    var archive = ZipAssembler.checkpoint()
    archive.countError = -1
    #expect(try fault(archive) == .entryCount(found: 2, expected: 1))
    archive.countError = 60000
    guard case .entryCount = try fault(archive) else { throw Unexpected.opened("count") }
  }

  @Test func bytesBeforeTheArchiveAreRefused() throws {
    var archive = ZipAssembler.checkpoint()
    archive.prefix = Array("PK\u{3}\u{4}hidden".utf8)
    guard case .leadingBytes(10) = try fault(archive) else { throw Unexpected.opened("prefix") }
    archive.offsetError = -10
    guard case .directoryOutOfPlace = try fault(archive) else { throw Unexpected.opened("prefix") }
  }

  @Test func twoDirectoriesAreRefused() throws {
    let bytes = ZipAssembler.checkpoint().bytes()
    // The first archive's end is given a comment: the second archive.
    var first = bytes
    let comment = UInt16(bytes.count)
    first.replaceSubrange((first.count - 2)..., with: PickleAssembler.little(comment))
    do {
      _ = try open(first + bytes)
    } catch let error as ZipError {
      #expect(error.fault == .ambiguousDirectory)
      return
    }
    throw Unexpected.opened("two directories")
  }
}
