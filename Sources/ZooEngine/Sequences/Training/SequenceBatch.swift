import ZooCheckpoint

/// Examples of one step of training. Nothing is padded.
public struct SequenceBatch: Sendable {
  /// What a network reads: tokens, or what its frozen part has made of them already.
  public enum Source: Sendable {
    case tokens(SequenceInput)
    /// For each text a matrix [rows, C].
    case features([FloatTensor])
  }
  public var source: Source
  /// What an encoder-decoder's decoder is given for each text.
  public var decoder: [[Int]]?

  public init(_ source: Source, decoder: [[Int]]? = nil) {
    self.source = source
    self.decoder = decoder
  }

  public var count: Int {
    switch source {
    case .tokens(let input): input.ids.count
    case .features(let features): features.count
    }
  }
}

/// What the rows of a network's output should have said.
public struct SequenceTargets: Sendable, Equatable {
  /// A column for each row of the output, negative for a row that doesn't count.
  public var columns: [Int]
  /// The share of each target that is spread evenly over all columns (Szegedy et al., CVPR 2016).
  public var smoothing: Float

  public init(_ columns: [Int], smoothing: Float = 0) {
    self.columns = columns
    self.smoothing = smoothing
  }
}

/// How well a batch's targets were told.
public struct SequenceOutcome: Sendable, Equatable {
  /// Sum of the losses, in nats.
  public var loss = 0.0
  /// Rows whose target came first.
  public var correct = 0
  /// Rows that count.
  public var count = 0

  public init() {}

  public static func += (sum: inout SequenceOutcome, other: SequenceOutcome) {
    sum.loss += other.loss
    sum.correct += other.correct
    sum.count += other.count
  }
}
