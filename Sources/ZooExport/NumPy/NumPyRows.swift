import ZooCheckpoint

/// A `.npy` file of float32 rows that come one by one: [rows, columns], however many there are in the end.
///
/// It appears with ``commit()``, whole or not at all.
public final class NumPyRows {
  /// The longest header that two numbers of 19 digits make.
  private static let headerLength = 128

  public var path: String { file.path }
  /// Rows so far.
  public private(set) var rows = 0
  private let columns: Int
  private let file: AtomicFile

  /// - Throws: `FileError`.
  public init(path: String, columns: Int, overwrite: Bool) throws {
    self.columns = columns
    file = try AtomicFile(path: path, overwrite: overwrite)
    file.skip(Self.headerLength)
  }

  /// - Precondition: `row.count` is the number of columns.
  /// - Throws: `FileError`.
  public func append(_ row: [Float]) throws {
    precondition(row.count == columns, "\(row.count) values for \(columns) columns")
    // Little-endian, as every machine that zoo runs on.
    try row.withUnsafeBytes { try file.write($0) }
    rows += 1
  }

  /// - Throws: `FileError`.
  public func commit() throws {
    let header = NumPyArrayHeader.bytes(.float32, shape: [rows, columns], length: Self.headerLength)
    try header.withUnsafeBytes { try file.write($0, at: 0) }
    try file.commit()
  }
}
