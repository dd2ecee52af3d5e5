import ZooCheckpoint

/// How far one tensor is from another.
struct Departure: Sendable {
  /// Largest absolute difference; infinite where one value is not a number, or shapes differ.
  let absolute: Double
  /// Largest absolute value of the reference.
  let scale: Double

  /// Largest difference as a share of the reference's largest value.
  var relative: Double { absolute == 0 ? 0 : scale > 0 ? absolute / scale : .infinity }

  static let shapes = Departure(absolute: .infinity, scale: 1)

  /// - Throws: ``FileError``.
  init(_ found: FloatTensor, from reference: FloatTensor) throws {
    guard found.count == reference.count else {
      self = .shapes
      return
    }
    (absolute, scale) = try found.withValues { found in
      try reference.withValues { reference in
        var (largest, scale) = (0.0, 0.0)
        for index in found.indices {
          let (a, b) = (Double(found[index]), Double(reference[index]))
          if b.isFinite { scale = max(scale, abs(b)) }
          if a == b || a.isNaN && b.isNaN { continue }
          let difference = abs(a - b)
          largest = max(largest, difference.isNaN ? .infinity : difference)
        }
        return (largest, scale)
      }
    }
  }

  private init(absolute: Double, scale: Double) {
    self.absolute = absolute
    self.scale = scale
  }
}

/// A recorded tensor in the model's layout.
enum ReferenceLayout {
  /// The tensor as [N, C, …], taken from [N, …, C] where only that fits; nil where its shape is another altogether.
  ///
  /// - Throws: ``TensorError``, ``FileError``.
  static func fitting(_ tensor: Tensor, to shape: [Int]) throws -> [FloatTensor] {
    var fitting: [FloatTensor] = []
    if tensor.shape == shape { fitting.append(try FloatTensor(tensor)) }
    if let moved = try channelsFirst(tensor), moved.shape == shape { fitting.append(moved) }
    let ones = { (shape: [Int]) in shape.filter { $0 != 1 } }
    if fitting.isEmpty, ones(tensor.shape) == ones(shape) {
      fitting.append(FloatTensor(shape: shape, values: try tensor.floats()))
    }
    return fitting
  }

  /// [N, …, C] as [N, C, …]; nil below three dimensions.
  static func channelsFirst(_ tensor: Tensor) throws -> FloatTensor? {
    let rank = tensor.shape.count
    guard rank >= 3 else { return nil }
    return try TensorTransform.permute([0, rank - 1] + Array(1..<rank - 1)).apply(tensor).map { try FloatTensor($0) }
  }
}
