import ZooCheckpoint

extension ZipError: ReportableError {
  public var report: ErrorReport {
    ErrorReport(
      .badData, file: file, place: (entry.map { "zip member \($0) " } ?? "zip ") + "at byte \(offset)",
      problem: problem, advice: advice)
  }

  private var problem: String {
    switch fault {
    case .noDirectory: "the directory that ends every zip archive is missing"
    case .ambiguousDirectory: "two zip directories claim to end the file"
    case .directoryOutOfPlace(let offset, let size, let end):
      "the directory is said to be \(size) bytes at \(offset), but must end at \(end)"
    case .severalDisks: "the archive spans several disks"
    case .leadingBytes(let count): "\(count) bytes precede the first member"
    case .entryCount(let found, let expected): "the directory holds \(found) members, expected \(expected)"
    case .badSignature(let found, let expected): "found signature \(hex(found)), expected \(hex(expected))"
    case .truncated(let needed, let remaining): "needs \(needed) bytes, but \(remaining) are left"
    case .localDiffers(let field, let local, let central):
      "\(field) is \(local) beside the data, but \(central) in the directory"
    case .encrypted: "is encrypted"
    case .unsupportedMethod(let method): "compression method \(method), expected 0 (stored) or 8 (deflated)"
    case .unsafeName: "the name is absolute, leaves its folder or isn't text"
    case .duplicateName: "the name occurs twice"
    case .overlap(let other): "overlaps \(other)"
    case .expandsTooFar(let compressed, let size): "would expand \(compressed) bytes to \(size)"
    case .storedSizeDiffers(let compressed, let size): "is stored in \(compressed) bytes, but \(size) are claimed"
    case .inflate(let produced, let expected): "expands to \(produced) bytes or is damaged there, expected \(expected)"
    case .checksum(let found, let expected): "CRC-32 is \(hex(found)), expected \(hex(expected))"
    }
  }

  private var advice: String {
    switch fault {
    case .noDirectory, .truncated, .checksum: "the file is cut short or damaged; download it again"
    case .encrypted, .unsupportedMethod: "unpack and save it again with torch.save"
    default: "the archive is damaged or made to deceive; don't trust its source"
    }
  }

  private func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}
