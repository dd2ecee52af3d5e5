import ZooCheckpoint

/// What a weight file would do in its own framework, and what is wrong with it, by its bytes.
///
/// Nothing of the file is run. A file that breaks its format is still searched for what it would have run.
public struct ContentScan: Sendable {
  /// As the user gave it.
  public let path: String
  /// nil where the file is nothing that zoo knows.
  public private(set) var format: WeightFormat?
  public private(set) var findings: [ScanFinding] = []
  /// Why the file was not looked into; nil where it was.
  public private(set) var unreadable: ErrorReport?

  /// What has to be done with the file, in one word.
  public enum Verdict: String, Sendable, Encodable, CaseIterable {
    case clean, suspicious, malformed, dangerous, unreadable

    /// The word for the worst that was found.
    public init(worst: ScanFinding.Severity?) {
      switch worst {
      case .dangerous: self = .dangerous
      case .malformed: self = .malformed
      case .suspicious: self = .suspicious
      case .note, nil: self = .clean
      }
    }
  }

  /// What was found counts more than what could not be looked into.
  public var verdict: Verdict {
    let found = Verdict(worst: findings.map(\.severity).max())
    return found == .clean && unreadable != nil ? .unreadable : found
  }

  public init(path: String) {
    self.path = path
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch {
      unreadable = error.report
      return
    }
    do {
      let recognised = try RecognisedFile(file)
      format = recognised.format
      scan(file, recognised)
      open(file)
    } catch let error as FormatError {
      scanUnknown(file, error)
    } catch {
      note(error)
      scanBrokenArchive(file)
    }
    mergeFindings()
  }

  mutating func add(_ finding: ScanFinding) {
    if findings.count < 1000 { findings.append(finding) }
  }

  mutating func unscanned(_ report: ErrorReport) { unreadable = report }

  private mutating func scan(_ file: MappedFile, _ recognised: RecognisedFile) {
    switch recognised.format {
    case .pyTorchZip, .torchScript, .keras, .numPyArchive:
      if let archive = recognised.archive { scanArchive(archive, format: recognised.format) }
    case .pyTorchLegacy: scanPickles(file, count: 5, isWhole: false)
    case .pickle: scanPickles(file, count: 1, isWhole: true)
    case .hdf5: scanKerasModel(file, offset: 0, count: file.count)
    case .numPyArray: scanArray(file, offset: 0, count: file.count, member: nil)
    case .gguf: scanChatTemplate(file)
    case .shardIndex: scanShards(file)
    default: break
    }
  }

  /// Reads the file as every other verb does, which refuses all that contradicts its format.
  private mutating func open(_ file: MappedFile) {
    do {
      let options = ReadOptions(salvage: true, allowsTrailingBytes: false)
      let source = try WeightFile.open(file, options: options)
      try source.checkRecords()
      if let model = source.onnx { scanOperators(model) }
    } catch { note(error) }
  }

  private mutating func scanUnknown(_ file: MappedFile, _ error: FormatError) {
    if case .unknownArchive = error, let archive = try? ZipArchive(file) {
      scanArchive(archive, format: nil)
      add(ScanFinding(.note, .unscannable, error.report.problem))
      return
    }
    // Protocols 0 and 1 have no signature.
    let survey = try? file.withBytes(offset: 0, count: file.count) {
      PickleSurvey($0, file: file.path, member: nil)
    }
    if survey?.isConvincing == true {
      format = .pickle
      scanPickles(file, count: 1, isWhole: true)
    } else {
      unreadable = error.report
    }
  }

  /// Several findings of one kind at one place become one.
  private mutating func mergeFindings() {
    var seen: [ScanFinding] = []
    for finding in findings where !seen.contains(finding) { seen.append(finding) }
    findings = seen.sorted { $0.severity > $1.severity }
  }
}
