/// Why a file's format can't be read.
public enum FormatError: Error, Sendable, Equatable {
  /// Recognised, but not read by this version.
  case notRead(file: String, format: WeightFormat)
  case unrecognised(file: String, firstBytes: [UInt8])
  case unknownArchive(file: String, members: [String])
  /// A Keras archive without weights that can be read.
  case keras(file: String, problem: String, expected: String)
}
