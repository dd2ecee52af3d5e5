import ZooVision

/// All that a report of a run shows.
public struct ReportContent: Sendable {
  /// An example that the network was wrong about.
  public struct Mistake: Sendable {
    public let name: String
    public let truth: String
    public let prediction: String
    /// Probability given to the wrong class, from 0 to 1; nil where there is none.
    public let confidence: Double?
    /// Small; nil where it can't be read again.
    public let thumbnail: Picture?

    public init(name: String, truth: String, prediction: String, confidence: Double?, thumbnail: Picture?) {
      self.name = name
      self.truth = truth
      self.prediction = prediction
      self.confidence = confidence
      self.thumbnail = thumbnail
    }
  }

  /// A validation picture beside the training picture that it looks like.
  public struct Lookalikes: Sendable {
    public let validation: String
    public let training: String
    public let thumbnails: [Picture]

    public init(validation: String, training: String, thumbnails: [Picture]) {
      self.validation = validation
      self.training = training
      self.thumbnails = thumbnails
    }
  }

  public var title: String
  /// The exact command line.
  public var command: String
  /// Name and value of each fact worth knowing, in order: model, digest, data, recipe.
  public var facts: [(name: String, value: String)]
  public var epochs: [EpochRecord]
  /// The epoch whose weights were kept, from 1.
  public var bestEpoch: Int
  public var findings: any Findings
  /// Worst first.
  public var mistakes: [Mistake]
  public var skipped: [SkippedPicture]
  /// Sentences that a reader must not miss.
  public var warnings: [String]
  /// Validation pictures that look like training pictures, the most alike first.
  public var nearDuplicates: [Lookalikes] = []
  /// How many there are in all.
  public var nearDuplicateCount = 0
  public var timing: RunTiming?
  /// What the loss is.
  public var loss = "cross-entropy"
  /// What was judged: pictures, texts, tokens.
  public var examples = "pictures"

  public init(
    title: String, command: String, facts: [(name: String, value: String)], epochs: [EpochRecord], bestEpoch: Int,
    findings: any Findings, mistakes: [Mistake] = [], skipped: [SkippedPicture] = [], warnings: [String] = []
  ) {
    self.title = title
    self.command = command
    self.facts = facts
    self.epochs = epochs
    self.bestEpoch = bestEpoch
    self.findings = findings
    self.mistakes = mistakes
    self.skipped = skipped
    self.warnings = warnings
  }
}
