import Foundation
import ZooCheckpoint

/// Something in a weight file that is no part of the state dict, and why.
public struct SkippedEntry: Sendable, Equatable {
  public let name: String
  public let reason: String
}

/// A file of weights in any format that zoo reads.
///
/// Tensors are views of the mapped file; nothing of a file is ever run.
public struct WeightFile: Sendable {
  /// As the user gave it.
  public internal(set) var path: String
  /// The file that says all of the weights, where ``path`` is a folder.
  package var mainFile: String?
  public let format: WeightFormat
  public var stateDict: StateDict
  /// What a safetensors file says of itself.
  public var metadata: [String: String] = [:]
  /// Keys and prefixes around the state dict that were taken off: `state_dict, module.`; nil without any.
  public var wrapper: String?
  public var skipped: [SkippedEntry] = []
  /// What stands beside the weights: epochs, arguments, an optimizer's state.
  public var sides: [SideEntry] = []
  /// Classes and functions that the pickle names, in its order.
  public var globals: [PickleGlobal] = []
  /// The whole model, where the file is ONNX.
  public var onnx: ONNXModel?
  /// Parts whose checksums are still to be checked.
  var records: [any CheckedRecord] = []

  /// The file to be hashed and looked up: ``path``, or what stands for a folder.
  package var sourceFile: String { mainFile ?? path }

  /// Opens a file of any format, recognised by its bytes, or a folder that holds one model.
  ///
  /// - Parameters:
  ///   - salvage: take the readable tensors of a pickle that names code-running callables or holds kinds of tensors
  ///     that can't be read; nothing is run either way.
  ///   - keeping: of which entries beside the weights the tensors and values are read.
  /// - Throws: ``FileError``, ``FormatError``, ``PyTorchError``, ``PickleError``, ``ZipError``, ``ShardError``,
  ///   ``FolderError``, and what the format's reader throws.
  public static func open(path: String, salvage: Bool = false, keeping: KeptSides = .none) throws -> WeightFile {
    let options = ReadOptions(salvage: salvage, keeping: keeping)
    if ModelFolder.isFolder(path) { return try ModelFolder(path).open(options: options) }
    // TensorFlow names a checkpoint by what its files' names have in common.
    let isPrefix =
      !FileManager.default.fileExists(atPath: path) && FileManager.default.fileExists(atPath: path + ".index")
    var file = try open(MappedFile(path: isPrefix ? path + ".index" : path), options: options)
    // Weights under the name that they have in a folder are its model.
    let url = URL(filePath: path)
    if ModelFolder.choices.contains(url.lastPathComponent) {
      try file.takeConfig(from: url.deletingLastPathComponent().path)
    }
    return file
  }

  /// Checks the stored bytes against the archive's CRC-32, each record once.
  ///
  /// Reading a tensor's bytes checks its record too; call this before copying file to file, which touches no bytes.
  /// - Throws: ``ZipError``.
  public func checkRecords() throws {
    for record in records { try record.check() }
  }

  static func open(_ file: MappedFile, options: ReadOptions) throws -> WeightFile {
    let recognised = try RecognisedFile(file)
    switch recognised.format {
    case .pyTorchZip, .torchScript:
      guard let archive = recognised.archive else { throw FormatError.unrecognised(file: file.path, firstBytes: []) }
      return try PyTorchZipReader.read(
        file, archive: archive, folder: recognised.folder, format: recognised.format, options: options)
    case .pyTorchLegacy: return try PyTorchLegacyReader.read(file, options: options)
    case .safetensors:
      let (stateDict, metadata) = try SafetensorsReader.read(file)
      var result = WeightFile(path: file.path, format: .safetensors, stateDict: stateDict)
      try result.takeCarriedMetadata(metadata)
      result.restoreTiesOfSafetensors()
      return result
    case .onnx: return try ONNXReader.read(file)
    case .hdf5: return try HDF5Reader.read(file)
    case .keras:
      guard let archive = recognised.archive else { throw FormatError.unrecognised(file: file.path, firstBytes: []) }
      return try KerasArchiveReader.read(file, archive: archive)
    case .numPyArray: return try NumPyReader.readArray(file)
    case .numPyArchive:
      guard let archive = recognised.archive else { throw FormatError.unrecognised(file: file.path, firstBytes: []) }
      return try NumPyReader.readArchive(file, archive: archive, options: options)
    case .tensorFlowCheckpoint: return try TensorFlowCheckpointReader.read(file)
    case .gguf: return try GGUFReader.read(file, options: options)
    case .shardIndex: return try ShardedReader.read(file, options: options)
    default: throw FormatError.notRead(file: file.path, format: recognised.format)
    }
  }
}

/// How a file is to be read.
struct ReadOptions: Sendable {
  var salvage = false
  var keeping = KeptSides.none
  /// Whether wrappers and prefixes are taken off; a shard keeps the names that its index lists.
  var unwraps = true
  /// Whether the file may be an index of shards; a shard itself may not.
  var allowsIndex = true
  /// Whether bytes behind a legacy file's storages are passed over, where ``salvage`` is on.
  var allowsTrailingBytes = true
}
