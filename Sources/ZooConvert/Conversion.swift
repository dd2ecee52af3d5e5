import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooGraph
import ZooONNX
import ZooText

/// Turns a weight file of any readable format into a canonical checkpoint.
public struct Conversion: Sendable {
  public var catalog: Catalog
  /// What floating-point tensors become; nil keeps theirs.
  public var dtype: DType?
  /// Whether an existing output is replaced.
  public var overwrite = false
  /// Whether tensors are taken out of files that would run code in Python.
  public var salvage = false
  /// The model that the weights must be; nil for the one that they are beyond doubt.
  public var model: String?
  /// Which of the model's published weights they are, where that is known already; else their digest tells.
  public var weights: String?
  /// Whether the last layer is left out.
  public var dropsHead = false
  /// What is carried along of that which stands beside the weights.
  public var keeps = KeptSides.none
  /// The tokenizer that a text model's checkpoint carries; nil for that beside the weights.
  public var tokenizer: TokenizerFiles?
  /// Whether the output is read again and held against the source.
  public var rereads = false

  public init(catalog: Catalog) { self.catalog = catalog }

  /// What was recognised and written.
  public struct Outcome: Sendable {
    public let source: WeightFile
    /// The model that the weights are beyond doubt; nil keeps their names as they are.
    public let identification: Identification?
    /// Other models that fit in part, best first.
    public let candidates: [Identification]
    /// What keeps the weights from being the nearest model's; nil where they are one's, or resemble none.
    public let fit: FitReport?
    public let checksum: ChecksumVerdict
    public let sha256: String
    public let tensors: Int
    public let parameters: Int
    public let written: WrittenCheckpoint
    public let aliases: [String: String]
    /// Tensors that share memory in the source, and have bytes of their own now.
    public let overlaps: [TensorOverlap]
    /// Parameters of the model that the checkpoint has no values for.
    public let absent: [String]
    /// What is carried beside the weights.
    public let kept: KeptEntries
    public let rereading: Rereading?
  }

  /// Converts `path`; the output appears whole or not at all.
  ///
  /// The source is hashed and its archive's checksums are checked on other threads while the bytes are copied.
  /// - Parameter digest: the source's, where somebody has begun with it.
  /// - Throws: ``FileError``, ``ConversionError``, `FormatError`, `PickleError`, `ZipError`, ``TensorError`` and their
  ///   kin.
  public func run(_ path: String, to output: String, digest: SourceDigest? = nil) throws -> Outcome {
    try refuseOverwritingItself(path, output)
    if !overwrite, FileManager.default.fileExists(atPath: output) { throw FileError.exists(file: output) }
    // Of a folder it is not known yet which file speaks for it.
    let early = digest ?? (try? SourceDigest(path: path))
    if model == nil { _ = BackgroundWork { [catalog] in catalog.prepareToIdentify() } }
    let source = try WeightFile.open(path: path, salvage: salvage, keeping: keeps)
    let hashing = try early.flatMap { $0.path == source.sourceFile ? $0 : nil } ?? SourceDigest(path: source.sourceFile)
    let wantsMD5 = catalog.wantsMD5(fileName: source.sourceFile)
    let hashingForPublisher = BackgroundWork { wantsMD5 ? try Digest.md5(of: MappedFile(path: hashing.path)) : nil }
    let checking = BackgroundWork { try source.checkRecords() }
    let content = try ConvertedContent(source, conversion: self)
    var verdict = ChecksumVerdict.unknown
    var finished = CheckpointMetadata()
    let description = SourceDescription(
      source: source, identification: content.identification, weights: weights)
    let written = try CheckpointWriter.write(
      content.stateDict, metadata: content.completing(description.longestMetadata), to: output, dtype: dtype,
      overwrite: overwrite
    ) { metadata in
      let sha256 = try hashing.wait()
      try checking.wait()
      verdict = catalog.checksum(sha256: sha256, md5: try hashingForPublisher.wait(), fileName: source.sourceFile)
      description.complete(&metadata, sha256: sha256, verdict: verdict)
      finished = metadata
    }
    let rereading = try rereads ? reread(written, content.stateDict) : nil
    return Outcome(
      source: source, identification: content.identification, candidates: content.candidates, fit: content.fit,
      checksum: verdict, sha256: try hashing.wait(), tensors: content.weightCount,
      parameters: content.parameterCount, written: written, aliases: finished.aliases,
      overlaps: content.stateDict.overlaps(), absent: finished.absent, kept: finished.kept, rereading: rereading)
  }

  /// A checkpoint that is not what it should be doesn't stay.
  private func reread(_ written: WrittenCheckpoint, _ stateDict: StateDict) throws -> Rereading {
    do {
      return try Rereading(written, source: stateDict, dtype: dtype)
    } catch {
      try? FileManager.default.removeItem(atPath: written.path)
      throw error
    }
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
}

public enum ConversionError: Error, Sendable, Equatable {
  case outputIsInput(file: String)
  /// The weights are not the model's that they were said to be.
  case doesNotFit(file: String, fit: FitReport)
  /// A head is to be dropped where none is known.
  case noHead(file: String, model: String?)
  /// Something beside the weights has the name of a weight.
  case keptNameTaken(file: String, name: String)
}
