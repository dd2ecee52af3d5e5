import ZooCheckpoint
import ZooGraph

/// Why a network can't be fine-tuned, or a run can't go on.
public enum TrainingError: Error, Sendable, Equatable {
  /// The network doesn't end in a linear layer of its own stage.
  case noHead(model: String)
  case tooManyStages(asked: Int, stages: [String])
  /// A pattern of names that no parameter has.
  case noSuchParameter(flag: String, pattern: String, names: [String])
  /// A pattern of `--lora-targets` that no linear layer or 1×1 convolution has.
  case noSuchMatrix(pattern: String, names: [String])
  /// No weight is left that changes of low rank could be for.
  case nothingToAdapt
  /// A pattern would keep the new head as it begins.
  case frozenHead(pattern: String, name: String)
  /// Hidden layers need a linear last layer to stand in the place of.
  case noLinearHead(model: String)
  /// Regression needs a last layer with a bias and nothing behind it.
  case noNumbers(model: String)
  /// The checkpoint doesn't say which network it is.
  case noDescription(file: String)
  /// The checkpoint doesn't name its classes.
  case noLabels(file: String)
  case nothingReadable(folder: String, reason: String)
  /// A picture that could be read when the run began.
  case unreadablePicture(file: String, reason: String)
  case missingTensor(file: String, name: String)
  case misshapenTensor(file: String, name: String, expected: [Int], found: [Int])
  /// The folder holds a finished run.
  case runExists(folder: String)
  /// The folder holds an interrupted run.
  case runUnfinished(folder: String)
  case nothingToResume(folder: String)
  case alreadyFinished(folder: String)
  case noRun(folder: String)
  /// The checkpoint doesn't say how it was trained in a way that this version understands.
  case otherVersion(file: String)
  /// Another process trains there.
  case inUse(folder: String)
  case unreadableState(file: String)
  case otherRun(folder: String, what: String, then: String, now: String)
  case badOption(name: String, value: String, expected: String)
  case diverged(folder: String, epoch: Int, step: Int, cause: Divergence)
  case interrupted(folder: String, epoch: Int, epochs: Int)
  /// A text that the tokenizer makes nothing of.
  case emptyText(name: String)
  /// The model's settings name no such token, or the tokenizer hasn't it.
  case noToken(file: String, field: String)
  case wrongTask(model: String, task: NetworkTask)
  case otherProblem(model: String, found: ProblemType, expected: ProblemType)
  /// No parameter belongs to the stages that are to learn.
  case nothingLearns(model: String)
  case labelsDisagree(file: String, folder: String, unknown: String, known: [String])

  /// What a run that leads nowhere shows; norms are those of the gradient before clipping.
  public enum Divergence: Sendable, Equatable {
    case lossIsNoNumber
    case gradientIsNoNumber(loss: Double)
    case lossExplodes(loss: Double, first: Double, gradientNorm: Double)
  }
}
