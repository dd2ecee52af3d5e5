import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooONNX

/// Turns a weight file of any readable format into a canonical checkpoint.
public struct Conversion: Sendable {
  public var catalog: Catalog
  /// What floating-point tensors become; nil keeps theirs.
  public var dtype: DType?
  /// Whether an existing output is replaced.
  public var overwrite = false
  /// Whether tensors are taken out of files that would run code in Python.
  public var salvage = false

  public init(catalog: Catalog) { self.catalog = catalog }

  /// What was recognised and written.
  public struct Outcome: Sendable {
    public let source: WeightFile
    /// The model that the weights are beyond doubt; nil keeps their names as they are.
    public let identification: Identification?
    /// Other models that fit in part, best first.
    public let candidates: [Identification]
    public let checksum: ChecksumVerdict
    public let sha256: String
    public let tensors: Int
    public let parameters: Int
    public let written: WrittenCheckpoint
    public let aliases: [String: String]
  }

  /// Converts `path`; the output appears whole or not at all.
  ///
  /// The source is hashed and its archive's checksums are checked on another thread while the bytes are copied.
  /// - Throws: ``FileError``, `FormatError`, `PickleError`, `ZipError`, ``TensorError`` and their kin.
  public func run(_ path: String, to output: String) throws -> Outcome {
    try refuseOverwritingItself(path, output)
    if !overwrite, FileManager.default.fileExists(atPath: output) { throw FileError.exists(file: output) }
    let source = try WeightFile.open(path: path, salvage: salvage)
    let file = try MappedFile(path: source.sourceFile)
    let hashing = BackgroundWork { try Digest.sha256(of: file) }
    let wantsMD5 = catalog.wantsMD5(fileName: source.sourceFile)
    let hashingForPublisher = BackgroundWork { wantsMD5 ? try Digest.md5(of: file) : nil }
    let checking = BackgroundWork { try source.checkRecords() }
    let candidates = catalog.identify(source)
    let identification = candidates.certain
    let stateDict = try identification?.canonical(source.stateDict) ?? source.stateDict
    var verdict = ChecksumVerdict.unknown
    var finished = CheckpointMetadata()
    let description = SourceDescription(source: source, identification: identification)
    let written = try CheckpointWriter.write(
      stateDict, metadata: description.longestMetadata, to: output, dtype: dtype, overwrite: overwrite
    ) { metadata in
      let sha256 = try hashing.wait()
      try checking.wait()
      verdict = catalog.checksum(sha256: sha256, md5: try hashingForPublisher.wait(), fileName: source.sourceFile)
      description.complete(&metadata, sha256: sha256, verdict: verdict)
      finished = metadata
    }
    return Outcome(
      source: source, identification: identification, candidates: candidates, checksum: verdict,
      sha256: try hashing.wait(), tensors: stateDict.count, parameters: Self.parameterCount(stateDict),
      written: written,
      aliases: finished.aliases)
  }

  /// Where the checkpoint goes unless said otherwise: beside the source, with its stem.
  public static func defaultOutput(for path: String) -> String {
    var stem = path
    while stem.count > 1, stem.hasSuffix("/") { stem.removeLast() }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: stem, isDirectory: &isFolder), isFolder.boolValue {
      return stem + ".safetensors"
    }
    for suffix in [".index.json", ".pth.tar", ".tar"] where stem.hasSuffix(suffix) { stem.removeLast(suffix.count) }
    let url = URL(filePath: stem)
    let base = url.pathExtension.isEmpty ? stem : String(stem.dropLast(url.pathExtension.count + 1))
    return base + ".safetensors"
  }

  private func refuseOverwritingItself(_ path: String, _ output: String) throws {
    func resolved(_ path: String) -> String { URL(filePath: path).resolvingSymlinksInPath().path }
    if resolved(path) == resolved(output), FileManager.default.fileExists(atPath: path) {
      throw ConversionError.outputIsInput(file: output)
    }
  }

  /// Trainable scalars, as far as names tell: floating-point tensors that are not BatchNorm's statistics.
  private static func parameterCount(_ stateDict: StateDict) -> Int {
    stateDict.tensors.reduce(0) { sum, entry in
      let isStatistic = entry.key.hasSuffix(".running_mean") || entry.key.hasSuffix(".running_var")
      return entry.value.dtype.isFloatingPoint && !isStatistic ? sum + entry.value.elementCount : sum
    }
  }
}

public enum ConversionError: Error, Sendable, Equatable {
  case outputIsInput(file: String)
}

extension ConversionError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .outputIsInput(let file):
      ErrorReport(
        .cannotCreate, file: file, problem: "is the file to be converted", advice: "give another name with -o")
    }
  }
}
