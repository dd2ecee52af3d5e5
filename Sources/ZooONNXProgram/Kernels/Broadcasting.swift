extension KernelCall {
  /// Combines two arrays element by element, repeating sizes of 1 as NumPy does.
  @inline(__always)
  func combine<A: Element, B: Element, R: Element>(
    _ a: [A], _ aShape: [Int], _ b: [B], _ bShape: [Int], _ operation: (A, B) -> R
  ) throws -> ONNXValue {
    let shape = aShape == bShape ? aShape : try broadcastShape([aShape, bShape])
    let count = try self.count(shape, size: MemoryLayout<R>.size)
    let pairs = try BroadcastPairs(aShape, bShape, shape)
    let values = [R](unsafeUninitializedCapacity: count) { target, initialized in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          guard count > 0, let a = a.baseAddress, let b = b.baseAddress, var to = target.baseAddress else { return }
          let inner = pairs.inner
          pairs.eachRow { aStart, bStart in
            let (a, b) = (a + aStart, b + bStart)
            switch (pairs.aStep, pairs.bStep) {
            case (1, 1): for index in 0..<inner { to[index] = operation(a[index], b[index]) }
            case (1, 0):
              let right = b[0]
              for index in 0..<inner { to[index] = operation(a[index], right) }
            case (0, 1):
              let left = a[0]
              for index in 0..<inner { to[index] = operation(left, b[index]) }
            default: for index in 0..<inner { to[index] = operation(a[index * pairs.aStep], b[index * pairs.bStep]) }
            }
            to += inner
          }
        }
      }
      initialized = count
    }
    return ONNXValue(shape: shape, values)
  }
}

/// The rows in which two values of different shapes are read side by side.
struct BroadcastPairs {
  private(set) var sizes: [Int] = []
  private var aStrides: [Int] = []
  private var bStrides: [Int] = []
  let inner: Int
  let aStep: Int
  let bStep: Int

  init(_ aShape: [Int], _ bShape: [Int], _ shape: [Int]) throws {
    let a = try broadcastStrides(aShape, to: shape), b = try broadcastStrides(bShape, to: shape)
    for axis in shape.indices where shape[axis] != 1 {
      if let lastA = aStrides.last, let lastB = bStrides.last, lastA == a[axis] * shape[axis],
        lastB == b[axis] * shape[axis]
      {
        sizes[sizes.count - 1] *= shape[axis]
        (aStrides[sizes.count - 1], bStrides[sizes.count - 1]) = (a[axis], b[axis])
      } else {
        sizes.append(shape[axis])
        aStrides.append(a[axis])
        bStrides.append(b[axis])
      }
    }
    inner = sizes.popLast() ?? 1
    aStep = aStrides.popLast() ?? 0
    bStep = bStrides.popLast() ?? 0
  }

  @inline(__always)
  func eachRow(_ body: (_ a: Int, _ b: Int) -> Void) {
    var position = [Int](repeating: 0, count: sizes.count)
    var (a, b) = (0, 0)
    while true {
      body(a, b)
      var axis = sizes.count - 1
      while true {
        if axis < 0 { return }
        position[axis] += 1
        a += aStrides[axis]
        b += bStrides[axis]
        if position[axis] < sizes[axis] { break }
        a -= sizes[axis] * aStrides[axis]
        b -= sizes[axis] * bStrides[axis]
        position[axis] = 0
        axis -= 1
      }
    }
  }
}
