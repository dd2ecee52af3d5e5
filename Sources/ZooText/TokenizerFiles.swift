import Foundation
import ZooCheckpoint

/// The files of a tokenizer, as their publisher wrote them: a value that travels with a checkpoint.
///
/// Where there is a `tokenizer.json` it says everything; else there are `vocab.txt`, or `vocab.json` and `merges.txt`,
/// or a model of SentencePiece's. With any of them comes `tokenizer_config.json` where there is one.
public struct TokenizerFiles: Sendable {
  /// The key of a checkpoint's metadata that ``text`` stands under.
  public static let metadataKey = "zoo.tokenizer"
  /// Bytes that all files may have together; the largest published ones have a third.
  public static let largest = 64 << 20

  static let tokenizer = "tokenizer.json"
  static let wordPieces = "vocab.txt"
  static let bytePairs = "vocab.json"
  static let merges = "merges.txt"
  static let sentencePieces = ["spiece.model", "sentencepiece.bpe.model"]
  static let settings = "tokenizer_config.json"
  /// What makes a tokenizer; the first whose files are all there counts.
  private static let kinds = [[tokenizer], [wordPieces], [bytePairs, merges]] + sentencePieces.map { [$0] }
  static let names = kinds.flatMap { $0 } + [settings]
  /// Whether a file of that name is a tokenizer's.
  public static func isFile(_ name: String) -> Bool { names.contains(name) }
  static let config = "config.json"
  static let modelTypeKey = "model_type"

  /// Contents by name.
  public private(set) var contents: [String: [UInt8]]
  /// `model_type` of the `config.json` beside a SentencePiece model, which may be all that tells whose model it is.
  public private(set) var modelType: String?
  /// Where they were found, for errors: a folder, or the file that carried them.
  public let source: String

  /// The tokenizer's files of a folder; nil where it has none. Other files are left alone.
  ///
  /// - Throws: ``TokenizerError/tooLarge(file:size:limit:)`` before anything is read, `FileError`.
  public init?(folder: String) throws {
    (source, contents) = (folder, [:])
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder + "/" + name) }
    guard let kind = Self.kinds.first(where: { $0.allSatisfy(exists) }) else { return nil }
    let files = try (kind + [Self.settings]).filter(exists).map { name in
      (name: name, file: try MappedFile(path: folder + "/" + name))
    }
    let size = files.reduce(0) { $0 + $1.file.count }
    guard size <= Self.largest else {
      let largest = files.max { $0.file.count < $1.file.count }?.file.path ?? folder
      throw TokenizerError.tooLarge(file: largest, size: size, limit: Self.largest)
    }
    for (name, file) in files { contents[name] = try file.withBytes(offset: 0, count: file.count) { Array($0) } }
    if Self.sentencePieces.contains(kind[0]), exists(Self.config) {
      modelType = try JSONTree(path: path(of: Self.config))[Self.modelTypeKey]?.text
    }
  }

  /// The tokenizer's files beside a file of weights, or in a folder of weights; nil where there are none.
  ///
  /// - Throws: as ``init(folder:)``.
  public init?(beside weights: String) throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: weights, isDirectory: &isFolder)
    let folder = exists && isFolder.boolValue ? weights : (weights as NSString).deletingLastPathComponent
    try self.init(folder: folder.isEmpty ? "." : folder)
  }

  /// Files that are in memory.
  ///
  /// - Parameter source: where they come from, for errors.
  /// - Throws: ``TokenizerError``: names of files that are none of a tokenizer's, more than ``largest``, no tokenizer.
  public init(
    contents: [String: [UInt8]], modelType: String? = nil, source: String
  ) throws(TokenizerError) {
    (self.contents, self.modelType, self.source) = (contents, modelType, source)
    if let name = contents.keys.sorted().first(where: { !Self.names.contains($0) }) {
      throw .unsupported(file: source, part: Self.metadataKey, found: name, known: Self.names)
    }
    let size = contents.values.reduce(0) { $0 + $1.count }
    guard size <= Self.largest else { throw .tooLarge(file: source, size: size, limit: Self.largest) }
    guard kind != nil else { throw Self.missing(in: source) }
  }

  /// Reads what ``text`` gave.
  ///
  /// - Parameter source: the file that carried it, for errors.
  /// - Throws: ``TokenizerError``: text that is no such JSON, and as ``init(contents:modelType:source:)``.
  public init(text: String, source: String) throws(TokenizerError) {
    var contents: [String: [UInt8]] = [:]
    var modelType: String?
    for (key, value) in try JSONTree(Array(text.utf8), file: source).members ?? [] {
      let name = String(decoding: key, as: UTF8.self)
      if name == Self.modelTypeKey {
        modelType = value.text
      } else if let bytes = value.bytes ?? value["base64"]?.text.flatMap({ Data(base64Encoded: $0) }).map(Array.init) {
        contents[name] = bytes
      } else {
        throw .missing(
          file: source, field: "\(Self.metadataKey).\(name)", expected: "a text, or an object with base64")
      }
    }
    try self.init(contents: contents, modelType: modelType, source: source)
  }

  /// All files as one JSON object: texts by name, what is no UTF-8 as `{"base64": …}`. The same files give the same
  /// text.
  public var text: String {
    var members = contents.mapValues(CarriedContents.init)
    if let modelType { members[Self.modelTypeKey] = .text(modelType) }
    return CheckpointMetadata.encode(members)
  }

  /// Writes every file, byte for byte, each whole or not at all.
  ///
  /// - Throws: `FileError`, also where one is there already and `overwrite` is false.
  public func write(to folder: String, overwrite: Bool) throws {
    for (name, bytes) in contents.sorted(by: { $0.key < $1.key }) {
      let file = try AtomicFile(path: folder + "/" + name, overwrite: overwrite)
      try bytes.withUnsafeBytes { try file.write($0) }
      try file.commit()
    }
  }

  /// The files that make the tokenizer; nil where those of none are complete.
  var kind: [String]? { Self.kinds.first { $0.allSatisfy { contents[$0] != nil } } }

  /// How a file is called in errors.
  func path(of name: String) -> String { source + "/" + name }

  static func missing(in source: String) -> TokenizerError {
    .missing(
      file: source, field: "tokenizer",
      expected: kinds.map { $0.joined(separator: " and ") }.joined(separator: ", or "))
  }
}

extension TokenizerFiles: Equatable {
  /// The same files, wherever they were found.
  public static func == (a: TokenizerFiles, b: TokenizerFiles) -> Bool {
    a.contents == b.contents && a.modelType == b.modelType
  }
}

/// How a file stands in JSON.
private enum CarriedContents: Encodable {
  case text(String)
  case binary([UInt8])

  init(_ bytes: [UInt8]) { self = String(validating: bytes, as: UTF8.self).map(Self.text) ?? .binary(bytes) }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .binary(let bytes): try container.encode(["base64": Data(bytes).base64EncodedString()])
    }
  }
}

extension Tokenizer {
  /// The tokenizer that the files make.
  ///
  /// A model of SentencePiece's is T5's or XLM-RoBERTa's by `tokenizer_class` in tokenizer_config.json, else by
  /// `model_type` in the config.json beside it, else by its name (`spiece.model` is T5's); others are refused.
  ///
  /// - Throws: ``TokenizerError``.
  public init(files: TokenizerFiles) throws(TokenizerError) {
    switch files.kind?.first {
    case TokenizerFiles.tokenizer:
      self = try TokenizerFile(
        files.json(TokenizerFiles.tokenizer), file: files.path(of: TokenizerFiles.tokenizer)
      ).tokenizer()
    case TokenizerFiles.wordPieces: self = try .bert(files)
    case TokenizerFiles.bytePairs: self = try .bytePairs(files)
    case let name?: self = try .sentencePieces(files, name: name)
    case nil: throw TokenizerFiles.missing(in: files.source)
    }
  }

  /// The tokenizer of a folder; ``TokenizerFiles`` says which files count.
  ///
  /// - Throws: ``TokenizerError``, `FileError`.
  public init(folder: String) throws {
    guard let files = try TokenizerFiles(folder: folder) else { throw TokenizerFiles.missing(in: folder) }
    try self.init(files: files)
  }

  /// A `tokenizer.json`.
  ///
  /// - Throws: ``TokenizerError``, `FileError`.
  public init(file: String) throws { self = try TokenizerFile(JSONTree(path: file), file: file).tokenizer() }
}
