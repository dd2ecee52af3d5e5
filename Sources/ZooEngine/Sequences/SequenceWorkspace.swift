import ZooCheckpoint

/// Row-major memory of a plan's matrices, which grows with the rows that runs ask for.
final class SequenceWorkspace {
  private let matrices: [SequenceMatrix]
  private var buffers: [UnsafeMutablePointer<Float>?]
  private var capacities: [Int]
  private var scratch: UnsafeMutableBufferPointer<Float> = .init(start: nil, count: 0)

  init(_ matrices: [SequenceMatrix]) {
    self.matrices = matrices
    buffers = [UnsafeMutablePointer<Float>?](repeating: nil, count: matrices.count)
    capacities = [Int](repeating: 0, count: matrices.count)
  }

  deinit {
    for buffer in buffers { buffer?.deallocate() }
    scratch.deallocate()
  }

  /// Floats between two rows of a matrix.
  func stride(of view: SequenceView) -> Int { matrices[view.matrix].columns }

  /// Makes room for `rows` rows in every matrix of `side`; what stands there is lost where there was less.
  func reserve(_ side: SequenceSide, _ layout: SequenceLayout) {
    for (index, matrix) in matrices.enumerated() where matrix.rows.side == side {
      let rows = layout.count(of: matrix.rows)
      guard rows > capacities[index] else { continue }
      buffers[index]?.deallocate()
      buffers[index] = .allocate(capacity: rows * matrix.columns)
      buffers[index]?.initialize(repeating: 0, count: rows * matrix.columns)
      capacities[index] = rows
    }
  }

  /// The first element of a view's row `row`.
  func pointer(_ view: SequenceView, row: Int = 0) throws(EngineError) -> UnsafeMutablePointer<Float> {
    guard let base = buffers[view.matrix] else {
      throw .unsupported(node: "matrix \(view.matrix)", problem: "is read before it is made")
    }
    return base + row * matrices[view.matrix].columns + view.column
  }

  /// Memory that nobody else uses until the next call.
  func scratch(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
    if scratch.count < count {
      scratch.deallocate()
      scratch = .allocate(capacity: count)
      scratch.initialize(repeating: 0)
    }
    return scratch
  }

  /// A copy of a view's first rows.
  func tensor(_ view: SequenceView, rows: Int) throws(EngineError) -> FloatTensor {
    let (base, stride) = (try pointer(view), stride(of: view))
    let values = [Float](unsafeUninitializedCapacity: rows * view.columns) { buffer, count in
      for row in 0..<rows {
        for column in 0..<view.columns { buffer[row * view.columns + column] = base[row * stride + column] }
      }
      count = rows * view.columns
    }
    return FloatTensor(shape: [rows, view.columns], values: values)
  }
}

/// Keys and values of the tokens that an attention has seen, sequence by sequence.
final class SequenceCache {
  let columns: Int
  private(set) var capacity = 0
  private(set) var keys: [UnsafeMutablePointer<Float>] = []
  private(set) var values: [UnsafeMutablePointer<Float>] = []

  init(columns: Int) { self.columns = columns }

  deinit { for pointer in keys + values { pointer.deallocate() } }

  /// Room for `length` tokens of each of `count` sequences; what is there stays.
  func reserve(count: Int, length: Int) {
    if length > capacity {
      let grown = max(length, 2 * capacity, 64)
      for index in keys.indices {
        keys[index] = moved(keys[index], to: grown)
        values[index] = moved(values[index], to: grown)
      }
      capacity = grown
    }
    while keys.count < count {
      keys.append(.allocate(capacity: capacity * columns))
      values.append(.allocate(capacity: capacity * columns))
    }
  }

  private func moved(_ old: UnsafeMutablePointer<Float>, to grown: Int) -> UnsafeMutablePointer<Float> {
    let new = UnsafeMutablePointer<Float>.allocate(capacity: grown * columns)
    new.update(from: old, count: capacity * columns)
    old.deallocate()
    return new
  }

  /// Sequence `index` becomes a copy of what sequence `indices[index]` was.
  func select(_ indices: [Int], lengths: [Int]) {
    if indices == Array(keys.indices) { return }
    let old = (keys: keys, values: values)
    var isTaken = [Bool](repeating: false, count: old.keys.count)
    keys = []
    values = []
    for index in indices {
      if isTaken[index] {
        keys.append(copy(old.keys[index], length: lengths[index]))
        values.append(copy(old.values[index], length: lengths[index]))
      } else {
        isTaken[index] = true
        keys.append(old.keys[index])
        values.append(old.values[index])
      }
    }
    for index in old.keys.indices where !isTaken[index] {
      old.keys[index].deallocate()
      old.values[index].deallocate()
    }
  }

  private func copy(_ pointer: UnsafeMutablePointer<Float>, length: Int) -> UnsafeMutablePointer<Float> {
    let new = UnsafeMutablePointer<Float>.allocate(capacity: capacity * columns)
    new.update(from: pointer, count: length * columns)
    return new
  }
}
