import ZooCheckpoint

/// A way to write a network's weights for another framework; one type a target.
public protocol Exporter: Sendable {
  static var target: ExportTarget { get }

  /// Writes the file, whole or not at all (``AtomicFile``), holding no more than one tensor and a buffer in memory.
  ///
  /// The same source and options give the same bytes.
  /// - Throws: ``ExportError``, `FileError`, `TensorError` and their kin.
  static func write(_ source: ExportSource, to path: String, options: ExportOptions) throws -> ExportedFile
}

/// How a file is to be written.
public struct ExportOptions: Sendable {
  /// What floating-point tensors become; nil keeps theirs.
  public var dtype: DType?
  /// Whether an existing output is replaced.
  public var overwrite = false

  public init(dtype: DType? = nil, overwrite: Bool = false) {
    self.dtype = dtype
    self.overwrite = overwrite
  }
}

/// What was written.
public struct ExportedFile: Sendable, Equatable {
  public let path: String
  /// Size in bytes; of all files where there are several.
  public let bytes: Int
  /// Tensors under all their names.
  public let tensors: Int
  /// What a person should know of the file, a sentence each, such as names that the format made shorter.
  public let notes: [String]

  public init(path: String, bytes: Int, tensors: Int, notes: [String] = []) {
    self.path = path
    self.bytes = bytes
    self.tensors = tensors
    self.notes = notes
  }
}
