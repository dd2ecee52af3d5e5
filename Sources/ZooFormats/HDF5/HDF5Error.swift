import ZooCheckpoint

/// What zoo refuses in an HDF5 file whose structure libhdf5 could read.
public struct HDF5Error: Error, Sendable, Equatable {
  public enum Fault: Sendable, Equatable {
    case foreignFilter(Int)
    case expandsTooFar(stored: Int, size: Int)
    case badChunk(at: [Int], problem: String)
    case shape([Int])
    case outsideFile(offset: Int, count: Int)
    case tooShort(stored: Int, needed: Int)
    /// Shares bytes with another dataset.
    case overlaps(other: String, offset: Int)
    /// Two objects have one name.
    case twice
    case noTensors
    case badAttribute(name: String, problem: String)
  }

  public let file: String
  /// The object's path in the file.
  public let path: String
  public let fault: Fault
}

extension HDF5Error: ReportableError {
  public var report: ErrorReport {
    ErrorReport(.badData, file: file, place: path, problem: problem, advice: advice)
  }

  private var problem: String {
    switch fault {
    case .foreignFilter(let number):
      "is compressed by filter \(number)\(Self.filterNames[number].map { " (\($0))" } ?? ""), expected gzip, shuffle or fletcher32"
    case .expandsTooFar(let stored, let size): "would expand \(stored) stored bytes to \(size)"
    case .badChunk(let place, let problem): "the chunk at \(place) \(problem)"
    case .shape(let shape): "the shape \(shape) is larger than any memory"
    case .outsideFile(let offset, let count): "needs \(count) bytes at \(offset), outside the file"
    case .tooShort(let stored, let needed): "stores \(stored) bytes, but its shape needs \(needed)"
    case .overlaps(let other, let offset): "shares bytes with \(other), at \(offset)"
    case .twice: "two objects have this name"
    case .noTensors: "holds no datasets of numbers"
    case .badAttribute(let name, let problem): "attribute \(name) \(problem)"
    }
  }

  private static let filterNames = [
    4: "szip", 5: "nbit", 6: "scale-offset", 32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32015: "Zstandard",
  ]

  private var advice: String {
    switch fault {
    case .foreignFilter: "save it again with compression='gzip' or none"
    case .noTensors: "check that it is a weight file"
    default: "the file is damaged or made to deceive; download it again"
    }
  }
}
