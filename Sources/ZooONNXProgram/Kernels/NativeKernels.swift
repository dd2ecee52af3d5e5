import COneDNN
import Synchronization

/// oneDNN's operations on single values. Calls from several threads wait for one another.
final class NativeKernels: Sendable {
  fileprivate struct Handle: @unchecked Sendable { let pointer: OpaquePointer }
  private let handle: Mutex<Handle>

  init() throws {
    guard let pointer = zoo_operators_create(0) else { throw ONNXProgramError(.kernel("can't be started")) }
    handle = Mutex(Handle(pointer: pointer))
  }

  deinit { handle.withLock { zoo_operators_destroy($0.pointer) } }

  /// An operation prepared for certain shapes, with the constants it was given.
  final class Prepared: Sendable {
    fileprivate let handle: Handle
    /// What it was prepared for.
    let shapes: [[Int]]

    fileprivate init(pointer: OpaquePointer, shapes: [[Int]]) {
      handle = Handle(pointer: pointer)
      self.shapes = shapes
    }

    deinit { zoo_prepared_destroy(handle.pointer) }
  }

  private func prepare(_ shapes: [[Int]], _ make: (OpaquePointer) -> OpaquePointer?) throws -> Prepared {
    try handle.withLock { handle in
      guard let pointer = make(handle.pointer) else { throw Self.problem(handle.pointer) }
      return Prepared(pointer: pointer, shapes: shapes)
    }
  }

  private static func problem(_ pointer: OpaquePointer) -> ONNXProgramError {
    ONNXProgramError(.kernel(String(cString: zoo_operators_error(pointer))))
  }

  /// - Parameters:
  ///   - a, b: sizes and strides of [..., M, K] and [..., K, N] of equal rank.
  ///   - values: b's, where they are the same in every run.
  func matmul(
    a: (sizes: [Int], strides: [Int]), b: (sizes: [Int], strides: [Int]), values: [Float]?, bias: [Float]?,
    shapes: [[Int]]
  ) throws -> Prepared {
    let lists = [a.sizes, a.strides, b.sizes, b.strides].flatMap { $0.map(Int64.init) }
    let rank = a.sizes.count
    return try prepare(shapes) { handle in
      lists.withUnsafeBufferPointer { lists in
        Self.withPointer(values) { values in
          Self.withPointer(bias) { bias in
            guard let start = lists.baseAddress else { return nil }
            return zoo_operators_matmul(
              handle, Int32(rank), start, start + rank, start + 2 * rank, start + 3 * rank, values, bias)
          }
        }
      }
    }
  }

  /// - Parameter weights: where they are the same in every run.
  func convolution(
    x: [Int], weight: [Int], y: [Int], groups: Int, window: SpatialWindow, weights: [Float]?, bias: [Float]?,
    shapes: [[Int]]
  ) throws -> Prepared {
    var native = zoo_spatial_window()
    native.axes = Int32(window.kernel.count)
    Self.copy(window.strides, to: &native.stride)
    Self.copy(window.dilations, to: &native.dilation)
    Self.copy(window.before, to: &native.before)
    Self.copy(window.after, to: &native.after)
    return try prepare(shapes) { handle in
      Self.withPointer(weights) { weights in
        Self.withPointer(bias) { bias in
          zoo_operators_convolution(
            handle, x.map(Int64.init), weight.map(Int64.init), y.map(Int64.init), Int64(groups), &native, weights, bias)
        }
      }
    }
  }

  /// - Parameter count: of the output's elements.
  func run(_ prepared: Prepared, _ first: [Float], _ second: [Float]?, count: Int) throws -> [Float] {
    try handle.withLock { handle in
      try [Float](unsafeUninitializedCapacity: count) { target, initialized in
        let result = first.withUnsafeBufferPointer { first in
          Self.withPointer(second) { second in
            zoo_operators_run(handle.pointer, prepared.handle.pointer, first.baseAddress, second, target.baseAddress)
          }
        }
        guard result >= 0 else { throw Self.problem(handle.pointer) }
        initialized = count
      }
    }
  }

  private static func withPointer<R>(_ values: [Float]?, _ body: (UnsafePointer<Float>?) -> R) -> R {
    guard let values else { return body(nil) }
    return values.withUnsafeBufferPointer { body($0.baseAddress) }
  }

  private static func copy(_ values: [Int], to target: inout (Int64, Int64, Int64)) {
    if values.count > 0 { target.0 = Int64(values[0]) }
    if values.count > 1 { target.1 = Int64(values[1]) }
    if values.count > 2 { target.2 = Int64(values[2]) }
  }
}
