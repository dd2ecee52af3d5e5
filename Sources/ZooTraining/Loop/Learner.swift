import ZooEngine

/// What learns: a network's trainable parameters in one flat buffer, with their gradients.
///
/// The loop decides when and how far parameters move; a learner says which way, and how good they are.
protocol Learner: AnyObject {
  /// Parts of the buffer that learn, with the rates they learn at; the rest stays as it is.
  var groups: [GradientDescent.Group] { get }
  var parameters: [Float] { get set }
  /// What a batch itself moves, BatchNorm's running means and variances; empty where there is none.
  var statistics: [Float] { get set }
  /// Says which batches come next, so that they can be made ahead.
  func announce(_ batches: [AnnouncedBatch])
  /// Fills the gradient of the batch's mean loss.
  ///
  /// - Parameters:
  ///   - batch: places among the training examples.
  ///   - seed: of what is random in the step, such as dropout and augmentation.
  func computeGradient(of batch: [Int], seed: UInt64) throws -> StepOutcome
  /// Lets `body` change the parameters where they are, with the gradient at hand.
  func update(_ body: (_ parameters: inout [Float], _ gradient: [Float]) -> Void)
  /// How well the parameters as they are do on the validation examples.
  func judge() throws -> Judgement
  /// What has been learnt, under the network's own names.
  func learntWeights() throws -> Weights
}

extension Learner {
  func announce(_ batches: [AnnouncedBatch]) {}

  var statistics: [Float] {
    get { [] }
    set {}
  }
}

/// A batch that the loop will ask for.
struct AnnouncedBatch: Equatable {
  let places: [Int]
  let seed: UInt64
}

/// What a batch gave.
struct StepOutcome: Codable, Equatable {
  /// Sum over the batch; over ``weight`` it is the mean whose gradient was computed.
  var loss = 0.0
  /// How much there was to judge: pictures, tokens, or the sum of their classes' weights.
  var weight = 0.0
  /// Judged right, of ``judged``; both 0 where the metric is no share of single examples.
  var correct = 0
  var judged = 0
  /// Seconds that the batch was waited for.
  var waiting = 0.0

  static func + (a: StepOutcome, b: StepOutcome) -> StepOutcome {
    StepOutcome(
      loss: a.loss + b.loss, weight: a.weight + b.weight, correct: a.correct + b.correct,
      judged: a.judged + b.judged, waiting: a.waiting + b.waiting)
  }
}

/// How well a network does on the validation examples.
struct Judgement: Equatable {
  /// Mean over the examples.
  var loss: Double
  /// Of all examples together, by the metric.
  var score: Double
  var metric = Metric.accuracy
}
