/// Memory of matrices that come and go with every step of training: what one gives back, another takes.
final class MatrixPool {
  struct Memory {
    let base: UnsafeMutablePointer<Float>
    let capacity: Int
  }
  private var free: [Memory] = []
  /// Kernels run over whole pieces of this many floats.
  static let piece = 1024

  deinit { for memory in free { memory.base.deallocate() } }

  /// A row-major matrix without gaps; what stands in it is anything.
  func take(rows: Int, columns: Int) -> Matrix {
    let wanted = max(1, (rows * columns + Self.piece - 1) / Self.piece) * Self.piece
    let fitting = free.indices.filter { (wanted...2 * wanted).contains(free[$0].capacity) }
    if let best = fitting.min(by: { free[$0].capacity < free[$1].capacity }) {
      return Matrix(rows: rows, columns: columns, memory: free.remove(at: best), pool: self)
    }
    let base = UnsafeMutablePointer<Float>.allocate(capacity: wanted)
    base.initialize(repeating: 0, count: wanted)
    return Matrix(rows: rows, columns: columns, memory: Memory(base: base, capacity: wanted), pool: self)
  }

  fileprivate func giveBack(_ memory: Memory) { free.append(memory) }
}

/// A row-major matrix that returns its memory to its pool.
final class Matrix {
  let rows: Int
  let columns: Int
  let base: UnsafeMutablePointer<Float>
  private let capacity: Int
  private let pool: MatrixPool

  fileprivate init(rows: Int, columns: Int, memory: MatrixPool.Memory, pool: MatrixPool) {
    self.rows = rows
    self.columns = columns
    base = memory.base
    capacity = memory.capacity
    self.pool = pool
  }

  deinit { pool.giveBack(MatrixPool.Memory(base: base, capacity: capacity)) }

  var count: Int { rows * columns }
  /// `count` rounded up to whole pieces, for which there is room.
  var roundedCount: Int64 { Int64(pieces * MatrixPool.piece) }
  var pieces: Int { (count + MatrixPool.piece - 1) / MatrixPool.piece }

  func row(_ row: Int) -> UnsafeMutablePointer<Float> { base + row * columns }

  func clear() { base.update(repeating: 0, count: count) }

  func copy(_ other: Matrix) { base.update(from: other.base, count: count) }

  var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
