import ZooCheckpoint
import ZooGraph

/// Named tensors laid end to end in one flat buffer, so that optimizers, and later all-reduces, see a single array.
public struct ParameterLayout: Sendable {
  public struct Slice: Sendable, Equatable {
    public let name: String
    public let shape: [Int]
    /// First float in the buffer.
    public let offset: Int
    public var count: Int { shape.reduce(1, *) }
    public var range: Range<Int> { offset..<offset + count }
  }
  public private(set) var slices: [Slice] = []
  public private(set) var count = 0
  private var offsets: [String: Int] = [:]

  init(_ parameters: [Parameter]) { self.init(parameters.map { ($0.name, $0.shape) }) }

  public init(_ tensors: [(name: String, shape: [Int])]) {
    for (name, shape) in tensors {
      slices.append(Slice(name: name, shape: shape, offset: count))
      offsets[name] = count
      // A cache line's alignment for each tensor.
      count += (shape.reduce(1, *) + 15) / 16 * 16
    }
  }

  public func offset(of name: String) -> Int? { offsets[name] }

  /// - Throws: ``EngineError/missingWeight(name:)``, ``EngineError/weightShape(name:expected:found:)``, `FileError`.
  public func fill(_ buffer: inout [Float], from weights: Weights) throws {
    for slice in slices {
      guard let tensor = weights[slice.name] else { throw EngineError.missingWeight(name: slice.name) }
      guard tensor.shape == slice.shape else {
        throw EngineError.weightShape(name: slice.name, expected: slice.shape, found: tensor.shape)
      }
      try tensor.withValues { values in buffer.replaceSubrange(slice.range, with: values) }
    }
  }

  public func read(_ buffer: [Float], into weights: inout Weights) {
    for slice in slices {
      weights[slice.name] = FloatTensor(shape: slice.shape, values: Array(buffer[slice.range]))
    }
  }
}
