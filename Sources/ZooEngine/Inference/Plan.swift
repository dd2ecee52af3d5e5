import COneDNN
import Foundation
import ZooCheckpoint

/// A compiled network: packed weights, an arena and a chain of kernels. Runs many times; nothing is allocated for a run.
///
/// One run at a time: concurrent callers wait for each other, since kernels use every thread anyway.
public final class Plan: @unchecked Sendable {
  /// Shape of the input, batch first.
  public let inputShape: [Int]
  public let outputShapes: [[Int]]
  /// The kernel that each step runs, as the libraries name them.
  package let kernels: [String]
  private let network: OpaquePointer
  private let input: Int32
  private let outputs: [Int32]
  private let lock = NSLock()

  /// Takes ownership of `network`.
  init(
    network: OpaquePointer, kernels: [String], input: Int32, outputs: [Int32], inputShape: [Int], outputShapes: [[Int]]
  ) {
    self.network = network
    self.kernels = kernels
    self.input = input
    self.outputs = outputs
    self.inputShape = inputShape
    self.outputShapes = outputShapes
  }

  deinit { zoo_network_destroy(network) }

  /// Bytes of packed weights, arena and scratch memory.
  public var memory: Int { Int(zoo_network_memory(network)) }

  /// Runs the network on one input; gives its outputs, row-major.
  ///
  /// - Throws: ``EngineError``.
  public func run(_ input: FloatTensor) throws -> [FloatTensor] {
    guard input.shape == inputShape else { throw EngineError.inputShape(expected: inputShape, found: input.shape) }
    var results = outputShapes.map { [Float](repeating: 0, count: $0.reduce(1, *)) }
    try input.withValues { values in
      try withPointers(to: &results) { pointers in try run(values, into: pointers) }
    }
    return zip(outputShapes, results).map { FloatTensor(shape: $0, values: $1) }
  }

  /// Runs a network of one output without allocating. Both buffers are row-major and of the plan's shapes.
  ///
  /// - Throws: ``EngineError``.
  public func run(_ input: UnsafeBufferPointer<Float>, into output: UnsafeMutableBufferPointer<Float>) throws {
    guard input.count == inputShape.reduce(1, *), outputShapes.count == 1, output.count == outputShapes[0].reduce(1, *)
    else { throw EngineError.inputShape(expected: inputShape, found: [input.count, output.count]) }
    try withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>?.self, capacity: 1) { pointers in
      pointers.initialize(repeating: output.baseAddress)
      try run(input, into: UnsafeBufferPointer(pointers))
    }
  }

  private func run(
    _ input: UnsafeBufferPointer<Float>, into pointers: UnsafeBufferPointer<UnsafeMutablePointer<Float>?>
  ) throws {
    lock.lock()
    defer { lock.unlock() }
    let status = outputs.withUnsafeBufferPointer {
      zoo_network_run(
        network, self.input, input.baseAddress, Int32(outputs.count), $0.baseAddress, pointers.baseAddress)
    }
    guard status >= 0 else {
      throw EngineError.kernel(node: "run", problem: String(cString: zoo_network_error(network)))
    }
  }

  private func withPointers(
    to arrays: inout [[Float]], _ body: (UnsafeBufferPointer<UnsafeMutablePointer<Float>?>) throws -> Void
  ) throws {
    let buffers = arrays.map { UnsafeMutableBufferPointer<Float>.allocate(capacity: $0.count) }
    defer { for buffer in buffers { buffer.deallocate() } }
    try buffers.map(\.baseAddress).withUnsafeBufferPointer(body)
    arrays = buffers.map { Array($0) }
  }
}
