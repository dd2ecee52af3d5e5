import Synchronization
import ZooCheckpoint
import ZooEngine
import ZooVision

/// A segmentation network ready to run: a class for each pixel.
///
/// A plan is compiled for each size that pictures come in; the last few are kept.
public final class Segmenter: Sendable {
  public let model: LoadedModel
  private let threads: Int?
  private let plans = Mutex<[(size: [Int], plan: Plan)]>([])

  /// Each has a copy of the packed weights.
  private static let keptPlans = 2
  /// Numbers that a mask's pixel can hold.
  private static let mostClasses = 256

  /// - Parameter threads: nil for one a core.
  /// - Throws: ``ModelError``, `PictureError`.
  public init(_ model: LoadedModel, threads: Int? = nil) throws {
    try model.require(.imageSegmentation)
    guard model.description.classes <= Self.mostClasses else {
      throw ModelError.notSegmentation(file: model.path, problem: "\(model.description.classes) classes, at most 256")
    }
    try model.preprocessing.check()
    self.model = model
    self.threads = threads
  }

  /// The classes of a picture's pixels, at the picture's own size.
  ///
  /// - Throws: `PictureError`, `EngineError`, `GraphError`.
  public func segment(_ picture: Picture) throws -> Segmentation {
    let input = try model.preprocessing.apply(picture)
    let logits = try plan(for: Array(input.shape[1...])).run(batched([input], batch: 1))[0]
    guard logits.shape.count == 4, logits.shape[1] >= 1, logits.shape[1] <= Self.mostClasses else {
      throw ModelError.notSegmentation(file: model.path, problem: "logits of \(logits.shape)")
    }
    let mask = try Self.likeliest(logits).resized(width: picture.width, height: picture.height)
    return Segmentation(mask: mask, labels: model.labels)
  }

  private func plan(for size: [Int]) throws -> Plan {
    try plans.withLock { plans in
      if let known = plans.first(where: { $0.size == size }) { return known.plan }
      let plan = try compile(
        model.graph, weights: model.weights, inputShape: [1, 3] + size, options: CompileOptions(threads: threads))
      plans = Array(plans.suffix(Self.keptPlans - 1)) + [(size, plan)]
      return plan
    }
  }

  /// logits [1, classes, H, W].
  private static func likeliest(_ logits: FloatTensor) throws -> ClassMask {
    let (height, width) = (logits.shape[2], logits.shape[3])
    let plane = height * width
    return try logits.withValues { values in
      var best = Array(values[0..<plane])
      var classes = [UInt8](repeating: 0, count: plane)
      for number in 1..<max(logits.shape[1], 1) {
        let row = UnsafeBufferPointer(rebasing: values[number * plane..<(number + 1) * plane])
        for index in 0..<plane where row[index] > best[index] {
          best[index] = row[index]
          classes[index] = UInt8(number)
        }
      }
      return ClassMask(width: width, height: height, classes: classes)
    }
  }
}

/// What a segmenter says of a picture.
public struct Segmentation: Sendable {
  public let mask: ClassMask
  /// Names of the classes; empty where unknown.
  public let labels: [String]

  public struct Share: Sendable, Equatable, Encodable {
    public let label: String
    public let index: Int
    /// Of the picture's pixels, 0 to 1.
    public let share: Double
  }

  /// The classes that some pixels have, the largest first.
  public var shares: [Share] {
    let total = Double(max(mask.classes.count, 1))
    return mask.counts.enumerated().filter { $0.element > 0 }
      .sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }
      .map { index, count in
        Share(
          label: labels.indices.contains(index) ? labels[index] : "class \(index)", index: index,
          share: Double(count) / total)
      }
  }
}
