import ZooCheckpoint

extension PickleError: ReportableError {
  public var report: ErrorReport {
    ErrorReport(
      .badData, file: file, place: (member.map { "\($0) " } ?? "") + "at byte \(offset)", problem: problem,
      advice: advice)
  }

  private var problem: String {
    switch fault {
    case .truncated(let needed, let remaining): "the pickle needs \(needed) more bytes, but \(remaining) are left"
    case .unknownOpcode(let byte): "0x\(String(byte, radix: 16)) is no pickle opcode"
    case .unsupportedProtocol(let version): "pickle protocol \(version), expected 0 to 5"
    case .outsideReference(let opcode): "\(opcode) refers to objects outside the file"
    case .stackUnderflow(let opcode): "\(opcode) takes more values than there are"
    case .wrongType(let opcode, let found, let expected): "\(opcode) found \(found), expected \(expected)"
    case .missingMemo(let index): "memo entry \(index) was never stored"
    case .badNumber: "malformed number"
    case .overLimit(let what, let limit): "more than \(limit) \(what)"
    case .trailingBytes(let count): "\(count) bytes follow the end of the pickle"
    }
  }

  private var advice: String {
    switch fault {
    case .truncated: "the file is cut short; download it again"
    case .overLimit, .trailingBytes, .outsideReference: "no weight file needs that; don't trust its source"
    default: "the file is damaged or not a checkpoint; download it again"
    }
  }
}
