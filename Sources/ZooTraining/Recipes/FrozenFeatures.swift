import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooVision

/// Runs the frozen part of a network over pictures once.
public struct FrozenFeatures {
  /// Features of the pictures that could be read, and the others.
  public struct Result: Sendable {
    /// Shape of one picture's features, without the batch.
    public var shape: [Int] = []
    public var examples: [Example] = []
    public var features: [FloatTensor] = []
    public var skipped: [SkippedPicture] = []
    /// Pictures whose features were on disk.
    public var cached = 0
  }

  private static let batch = 8
  /// Seconds between two savings of the cache.
  private static let interval = 30.0
  private let augmenter: Augmenter
  private let view: View?
  private let graph: Graph
  private let weights: Weights
  private let cache: FeatureCache?
  private let options: CompileOptions

  /// One of several ways in which each picture is changed.
  struct View {
    let augmentation: Augmentation
    let seed: UInt64
    let index: Int

    fileprivate var key: [String] { [CheckpointMetadata.encode(augmentation), "seed \(seed)", "view \(index)"] }

    fileprivate func seed(for example: Example) -> UInt64 {
      SeededGenerator.seed(seed ^ (example.digest.flatMap { UInt64($0.prefix(16), radix: 16) } ?? 0), index)
    }
  }

  /// - Parameters:
  ///   - graph: the frozen part.
  ///   - view: nil prepares pictures as for judging.
  ///   - cacheFolder: nil keeps nothing on disk.
  init(
    network: PretrainedNetwork, graph: Graph, stage: Int, view: View? = nil, cacheFolder: String?,
    options: CompileOptions
  ) throws {
    augmenter = try Augmenter(view?.augmentation ?? Augmentation(), preprocessing: network.preprocessing)
    self.view = view
    self.graph = graph
    weights = try network.weights(for: graph)
    let key = ["1", network.digest, network.input, network.description.family, "stage \(stage)"] + (view?.key ?? [])
    cache = graph.nodes.isEmpty ? nil : cacheFolder.map { FeatureCache(folder: $0, key: key) }
    self.options = options
  }

  /// - Parameter progress: called with the pictures done; true stops the work.
  /// - Throws: `EngineError`, `GraphError`; nothing for a broken picture, which is left out.
  func compute(_ examples: [Example], progress: (Int) -> Bool) throws -> Result? {
    let pictureShape = [3] + augmenter.preprocessing.size
    let shapes = try graph.inferShapes(input: [1] + pictureShape)
    var result = Result()
    result.shape = graph.outputs.first.map { Array(shapes[$0.index].dropFirst()) } ?? pictureShape
    var known = cache?.load(shape: result.shape) ?? [:]
    let wanted = Set(examples.compactMap(\.digest))
    result.cached = examples.filter { $0.digest.map { known[$0] != nil } ?? false }.count
    let missing = examples.filter { $0.digest.map { known[$0] == nil } ?? true }
    var failures: [String: String] = [:]
    let plan =
      graph.nodes.isEmpty || missing.isEmpty
      ? nil : try compile(graph, weights: weights, inputShape: [Self.batch] + pictureShape, options: options)
    var saver = SaveTimer(interval: Self.interval)
    for start in stride(from: 0, to: missing.count, by: Self.batch) {
      if saver.isDue { saver.save { cache?.store(known) } }
      if progress(result.cached + start) {
        if !known.isEmpty { cache?.store(known) }
        return nil
      }
      let batch = Array(missing[start..<min(start + Self.batch, missing.count)])
      for (example, outcome) in zip(batch, try features(of: batch, plan: plan, shape: result.shape)) {
        switch outcome {
        case .success(let features): if let digest = example.digest { known[digest] = features }
        case .failure(let problem): failures[example.name] = problem.reason
        }
      }
    }
    if !missing.isEmpty { cache?.store(known.filter { wanted.contains($0.key) || known.count < 50_000 }) }
    for example in examples {
      if let features = example.digest.flatMap({ known[$0] }) {
        result.examples.append(example)
        result.features.append(features)
      } else {
        result.skipped.append(
          SkippedPicture(name: example.name, reason: failures[example.name] ?? "cannot be read"))
      }
    }
    _ = progress(examples.count)
    return result
  }

  private struct Broken: Error { let reason: String }

  private func features(
    of batch: [Example], plan: Plan?, shape: [Int]
  ) throws -> [Swift.Result<FloatTensor, Broken>] {
    let pictures = decode(batch)
    guard let plan else { return pictures }
    let size = 3 * augmenter.preprocessing.size[0] * augmenter.preprocessing.size[1]
    var input = [Float](repeating: 0, count: Self.batch * size)
    for (index, picture) in pictures.enumerated() {
      guard case .success(let tensor) = picture else { continue }
      tensor.withValuesIfAny { input.replaceSubrange(index * size..<(index + 1) * size, with: $0) }
    }
    let count = shape.reduce(1, *)
    var output = [Float](repeating: 0, count: Self.batch * count)
    try input.withUnsafeBufferPointer { from in
      try output.withUnsafeMutableBufferPointer { try plan.run(from, into: $0) }
    }
    return pictures.enumerated().map { index, picture in
      picture.map { _ in FloatTensor(shape: shape, values: Array(output[index * count..<(index + 1) * count])) }
    }
  }

  /// Decodes and normalises on every core.
  private func decode(_ batch: [Example]) -> [Swift.Result<FloatTensor, Broken>] {
    batch.concurrentMap { [augmenter, view] example in
      do {
        return .success(try augmenter.apply(Picture.decode(path: example.path), seed: view?.seed(for: example) ?? 0))
      } catch let error as any ReportableError {
        return .failure(Broken(reason: error.report.problem))
      } catch {
        return .failure(Broken(reason: "cannot be read"))
      }
    }
  }

  /// The pictures that can be read, without features.
  ///
  /// - Parameter progress: called with the pictures done; true stops the work.
  func check(_ examples: [Example], progress: (Int) -> Bool) -> Result? {
    var result = Result()
    for start in stride(from: 0, to: examples.count, by: Self.batch) {
      if progress(start) { return nil }
      let batch = Array(examples[start..<min(start + Self.batch, examples.count)])
      for (example, outcome) in zip(batch, decode(batch)) {
        switch outcome {
        case .success: result.examples.append(example)
        case .failure(let problem):
          result.skipped.append(SkippedPicture(name: example.name, reason: problem.reason))
        }
      }
    }
    _ = progress(examples.count)
    return result
  }
}

extension FloatTensor {
  /// As `withValues`, and nothing where the file behind the values went away.
  fileprivate func withValuesIfAny(_ body: (UnsafeBufferPointer<Float>) -> Void) { try? withValues(body) }
}
