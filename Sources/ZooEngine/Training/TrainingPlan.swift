import COneDNN
import Foundation
import ZooCheckpoint
import ZooGraph

/// How a network is trained.
public struct TrainingOptions: Sendable {
  /// Threads to run on; nil for one a core.
  public var threads: Int?
  /// Whether dropout drops; off for comparisons of gradients.
  public var dropsOut = true
  /// BatchNorm layers that normalise by the batch and move their running statistics, by module name; nil for those whose
  /// own parameters are trained. The others keep their statistics.
  public var batchStatistics: Set<String>?

  public init(threads: Int? = nil, dropsOut: Bool = true, batchStatistics: Set<String>? = nil) {
    self.threads = threads
    self.dropsOut = dropsOut
    self.batchStatistics = batchStatistics
  }
}

/// A network with its gradients: reverse-mode differentiation from the loss back to the first trainable parameter and no
/// further.
///
/// Parameters and gradients are flat buffers; see ``layout``. Batches of any size run, each size with memory of its own.
public final class TrainingPlan {
  public let graph: Graph
  /// Where each parameter stands in ``parameters`` and ``gradients``.
  public let layout: ParameterLayout
  public let trainable: Set<String>
  public var parameters: [Float]
  public private(set) var gradients: [Float]
  private let bufferLayout: ParameterLayout
  private var buffers: [Float]
  private let weightsBefore: Weights
  private let inputShape: [Int]
  private let sizes: [ValueID: [Int]]
  private let options: TrainingOptions
  private var programs: [Int: TrainingProgram] = [:]
  private let arena: TrainingArena

  /// - Parameters:
  ///   - trainable: names of the parameters to train.
  ///   - inputShape: of one example, without the batch: [C, H, W] or [C].
  ///   - sizes: shapes, with the batch left out too, of values before the graph that say how large pictures become.
  /// - Throws: ``EngineError``, `GraphError`.
  public init(
    graph: Graph, weights: Weights, trainable: Set<String>, inputShape: [Int], sizes: [ValueID: [Int]] = [:],
    options: TrainingOptions = .init()
  ) throws {
    self.graph = graph
    self.trainable = trainable
    self.inputShape = inputShape
    self.sizes = sizes
    self.options = options
    arena = try TrainingArena()
    weightsBefore = weights
    layout = ParameterLayout(graph.parameters.filter { !$0.isBuffer })
    bufferLayout = ParameterLayout(graph.parameters.filter(\.isBuffer))
    parameters = [Float](repeating: 0, count: layout.count)
    gradients = [Float](repeating: 0, count: layout.count)
    buffers = [Float](repeating: 0, count: bufferLayout.count)
    try layout.fill(&parameters, from: weights)
    try bufferLayout.fill(&buffers, from: weights)
  }

  /// What a step gives.
  public struct Step: Sendable {
    /// Mean over the batch.
    public let loss: Double
    /// [N, classes], or [N, classes, H, W] where each pixel has a class.
    public let logits: [Float]
    public let classes: Int
  }

  /// Runs forward and backward on one batch and fills ``gradients``; parameters stay as they are.
  ///
  /// - Parameters:
  ///   - input: batch × `inputShape`, row-major.
  ///   - labels: a class number for each example.
  ///   - seed: decides what dropout drops.
  /// - Throws: ``EngineError``.
  public func step(_ input: UnsafeBufferPointer<Float>, labels: [Int], smoothing: Float = 0, seed: UInt64 = 0) throws
    -> Step
  {
    try step(input, batch: labels.count, seed: seed) { logits, classes, gradient in
      guard labels.allSatisfy({ (0..<classes).contains($0) }), logits.count == labels.count * classes else {
        throw EngineError.inputShape(expected: [classes], found: labels)
      }
      return CrossEntropy.loss(
        logits, targets: CrossEntropy.targets(labels, classes: classes), classes: classes, smoothing: smoothing,
        gradient: &gradient
      ).mean
    }
  }

  /// The same for any loss.
  ///
  /// - Parameter loss: gets the logits, [N, classes] or [N, classes, H, W], and the number of classes; fills the loss's
  ///   gradient with respect to the logits and gives its value.
  /// - Throws: ``EngineError``, and whatever `loss` throws.
  public func step(
    _ input: UnsafeBufferPointer<Float>, batch: Int, seed: UInt64 = 0,
    loss: (_ logits: [Float], _ classes: Int, _ gradient: inout [Float]) throws -> Double
  ) throws -> Step {
    guard batch > 0, input.count == batch * inputShape.reduce(1, *) else {
      throw EngineError.inputShape(expected: [batch] + inputShape, found: [input.count])
    }
    let program = try program(batch: batch)
    var logits = [Float](repeating: 0, count: batch * program.outputCount)
    try program.forward(input, parameters: parameters, buffers: &buffers, seed: seed, output: &logits)
    var gradient = [Float](repeating: 0, count: logits.count)
    let mean = try loss(logits, program.classes, &gradient)
    try program.backward(gradient, parameters: parameters, gradients: &gradients)
    return Step(loss: mean, logits: logits, classes: program.classes)
  }

  /// All weights as they are now: those trained, those frozen, and BatchNorm's statistics.
  public func weights() -> Weights {
    var weights = weightsBefore
    layout.read(parameters, into: &weights)
    bufferLayout.read(buffers, into: &weights)
    return weights
  }

  /// BatchNorm's running statistics as one flat array, for saving and going on later.
  public var statistics: [Float] {
    get { buffers }
    set { if newValue.count == buffers.count { buffers = newValue } }
  }

  private func program(batch: Int) throws -> TrainingProgram {
    if let program = programs[batch] { return program }
    let program = try TrainingProgram(
      graph: graph, layout: layout, buffers: bufferLayout, trainable: trainable, inputShape: [batch] + inputShape,
      sizes: sizes.mapValues { [batch] + $0 }, options: options, arena: arena)
    programs[batch] = program
    return program
  }
}
