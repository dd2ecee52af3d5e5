import Testing

@testable import ZooCheckpoint

/// Row-major bytes of views, held to the definition: element i stands at offset + Σ index · stride.
@Suite struct GatherTests {
  private static func expected(_ tensor: Tensor) throws -> [UInt8] {
    let size = tensor.dtype.size
    return try tensor.storage.withBytes { bytes in
      var result: [UInt8] = []
      for number in 0..<tensor.elementCount {
        var (rest, place) = (number, tensor.storageOffset)
        for (size, stride) in zip(tensor.shape, tensor.strides).reversed() {
          place += rest % size * stride
          rest /= size
        }
        let element = bytes[place * size..<(place + 1) * size]
        result += tensor.isByteSwapped ? element.reversed() : Array(element)
      }
      return result
    }
  }

  private static func tensor(_ dtype: DType, _ shape: [Int], swapped: Bool = false) throws -> Tensor {
    let bytes = (0..<shape.reduce(dtype.size, *)).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 8) }
    return try Tensor(dtype: dtype, shape: shape, storage: MemoryStorage(bytes), isByteSwapped: swapped)
  }

  @Test(arguments: [
    ([130, 70], [1, 0]), ([3, 3, 17, 67], [3, 2, 0, 1]), ([5, 3, 2, 129], [3, 2, 0, 1]), ([2, 65, 4], [1, 0, 2]),
    ([1, 1, 8, 1], [3, 2, 0, 1]), ([66, 1, 3], [2, 0, 1]),
  ])
  func permutedViewsGatherInOrder(_ shape: [Int], _ order: [Int]) throws {
    for (dtype, swapped) in [(DType.float32, false), (.float16, true), (.uint8, false), (.int64, true)] {
      let view = try #require(try TensorTransform.permute(order).apply(Self.tensor(dtype, shape, swapped: swapped)))
      #expect(try view.withContiguousBytes { [UInt8]($0) } == Self.expected(view), "\(dtype)")
    }
  }

  @Test func stepsAndRepeatsGatherInOrder() throws {
    let base = try Self.tensor(.float32, [40])
    for (shape, strides) in [([5, 4], [2, 8]), ([3, 7], [0, 1]), ([6, 6], [1, 1]), ([4, 3], [1, 0])] {
      let view = try Tensor(dtype: .float32, shape: shape, strides: strides, storageOffset: 1, storage: base.storage)
      #expect(try view.withContiguousBytes { [UInt8]($0) } == Self.expected(view), "\(shape) \(strides)")
    }
  }

  @Test(arguments: [1, 100, 4096, 1 << 20])
  func piecesAreTheWholeInOrder(ofBytes size: Int) throws {
    let base = try Self.tensor(.float32, [3, 3, 17, 67])
    let turned = try #require(try TensorTransform.permute([3, 2, 0, 1]).apply(base))
    let flat = try #require(try TensorTransform.reshape([-1]).apply(turned))
    for view in [base, turned, flat] {
      var pieces: [UInt8] = []
      try view.forEachContiguousPiece(ofBytes: size) { pieces += [UInt8]($0) }
      #expect(try pieces == view.withContiguousBytes { [UInt8]($0) })
    }
  }

  /// A flattened transpose is no reshape of its source's own order, so its pieces must be those of the transpose.
  @Test func piecesOfAReshapeAreRowsOfWhatItReshapes() throws {
    let base = try Self.tensor(.float32, [64, 64])
    let turned = try #require(try TensorTransform.transpose.apply(base))
    let flat = try #require(try TensorTransform.reshape([4096]).apply(turned))
    var largest = 0
    try flat.forEachContiguousPiece(ofBytes: 1024) { largest = max(largest, $0.count) }
    #expect(largest == 1024)
  }
}
