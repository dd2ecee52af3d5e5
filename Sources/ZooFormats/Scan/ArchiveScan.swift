import ZooCheckpoint

extension ContentScan {
  /// The members of a sound archive, whatever they are called, and what stands between them.
  mutating func scanArchive(_ archive: ZipArchive, format: WeightFormat?) {
    for entry in archive.entries where entry.size > 0 {
      scanName(entry.name)
      do {
        try archive.record(entry).withBytes { scanMember($0, name: entry.name) }
      } catch { note(error) }
      if entry.name.hasSuffix(".h5"), entry.method == .stored {
        scanKerasModel(archive.file, offset: entry.dataOffset, count: entry.size)
      }
    }
    let code = archive.entries.filter { $0.name.contains("/code/") && $0.name.hasSuffix(".py") }
    if format == .torchScript, !code.isEmpty {
      add(
        ScanFinding(
          .suspicious, .torchScriptCode, place: code[0].name,
          "holds TorchScript code (\(code.count) files), which runs when the model is loaded and called"))
    }
    scanGaps(archive)
  }

  private mutating func scanMember(_ bytes: UnsafeRawBufferPointer, name: String) {
    if name.hasSuffix(".pkl") || name.hasSuffix(".debug_pkl") {
      if let end = scanPickle(bytes, at: 0, member: name) { scanBehind(bytes, from: end, member: name) }
    } else if name == "config.json" {
      scanKerasConfig(bytes, member: name)
    } else if name.hasSuffix(".npy") {
      scanArray(bytes, member: name)
    } else {
      scanHidden(bytes, member: name)
    }
  }

  private mutating func scanName(_ name: String) {
    let programs = [".pyc", ".so", ".dll", ".dylib", ".exe", ".sh", ".bat", ".ps1", ".js"]
    let isScript = name.hasSuffix(".py") && !name.contains("/code/") && !name.hasPrefix("code/")
    guard isScript || programs.contains(where: name.lowercased().hasSuffix) else { return }
    add(ScanFinding(.suspicious, .programMember, place: name, "is a program, which no weights need"))
  }

  /// Bytes that no member owns, beyond the few that may describe a member behind its data.
  private mutating func scanGaps(_ archive: ZipArchive) {
    _ = try? archive.file.withBytes(offset: 0, count: archive.file.count) { bytes in
      let directory = try ZipDirectory(LittleEndianBytes(bytes: bytes), file: path)
      let sorted = archive.entries.sorted { $0.headerOffset < $1.headerOffset }
      for (index, entry) in sorted.enumerated() {
        let next = index + 1 < sorted.count ? sorted[index + 1].headerOffset : directory.offset
        guard next - entry.dataEnd > 24 else { continue }
        add(
          ScanFinding(
            .suspicious, .trailingBytes, place: "at byte \(entry.dataEnd)",
            "\(next - entry.dataEnd) bytes belong to no member of the archive"))
        scanHidden(UnsafeRawBufferPointer(rebasing: bytes[..<next]), at: entry.dataEnd, member: "between the members")
      }
    }
  }

  /// An archive that contradicts itself: whatever looks like a member's header is followed, as some loader may do.
  mutating func scanBrokenArchive(_ file: MappedFile) {
    _ = try? file.withBytes(offset: 0, count: file.count) { bytes in
      let fields = LittleEndianBytes(bytes: bytes)
      var found = 0
      var place = 0
      while place + 30 <= bytes.count, found < 4096 {
        guard bytes[place] == 0x50, fields.uint32(place) == 0x0403_4B50 else {
          place += 1
          continue
        }
        found += 1
        scanLocal(fields, at: place)
        place += 30
      }
    }
  }

  private mutating func scanLocal(_ fields: LittleEndianBytes, at place: Int) {
    guard let method = fields.uint16(place + 8), let compressed = fields.uint32(place + 18),
      let size = fields.uint32(place + 22), let nameLength = fields.uint16(place + 26),
      let extraLength = fields.uint16(place + 28), let name = fields.range(place + 30, Int(nameLength))
    else { return }
    let start = place + 30 + Int(nameLength) + Int(extraLength)
    let text = String(decoding: name, as: UTF8.self)
    guard method == 8 else {
      if start < fields.count { scanRaw(fields.bytes, at: start, name: text) }
      return
    }
    let largest = 32 << 20
    guard Int(size) <= largest, let data = fields.range(start, min(Int(compressed), fields.count - start))
    else { return }
    let unpacked = [UInt8](unsafeUninitializedCapacity: max(Int(size), 1)) { buffer, initialized in
      initialized = min(inflateRaw(data, into: UnsafeMutableRawBufferPointer(buffer)), Int(size))
    }
    unpacked.withUnsafeBytes { scanRaw($0, at: 0, name: text) }
  }

  private mutating func scanRaw(_ bytes: UnsafeRawBufferPointer, at start: Int, name: String) {
    if name.hasSuffix(".pkl") {
      scanPickle(bytes, at: start, member: name)
    } else {
      scanHidden(bytes, at: start, member: name)
    }
  }
}
