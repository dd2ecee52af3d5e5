import Foundation
import ZooCheckpoint

extension TrainingError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .noHead(let model):
      ErrorReport(.badData, file: model, problem: "doesn't end in a linear layer, so that no new head can stand on it")
    case .tooManyStages(let asked, let stages):
      ErrorReport(
        .usage, problem: "--unfreeze \(asked): there are \(stages.count) stages before the head",
        advice: "from the last: \(stages.reversed().joined(separator: ", "))")
    case .noSuchParameter(let flag, let pattern, let names):
      ErrorReport(
        .usage, problem: "\(flag) \(pattern): no parameter has such a name",
        advice: "names are such as " + names.suffix(4).joined(separator: ", "))
    case .noSuchMatrix(let pattern, let names):
      ErrorReport(
        .usage, problem: "--lora-targets \(pattern): no linear layer or 1×1 convolution has such a name",
        advice: names.isEmpty ? "the network has none" : "names are such as " + Self.examples(names))
    case .nothingToAdapt:
      ErrorReport(
        .usage, problem: "--recipe lora finds nothing to change: what it is for is frozen, or learns itself",
        advice: "use fewer --freeze and --unfreeze, or name others with --lora-targets")
    case .frozenHead(let pattern, let name):
      ErrorReport(.usage, problem: "--freeze \(pattern): \(name) is new and has to learn")
    case .noLinearHead(let model):
      ErrorReport(
        .badData, file: model, problem: "its last layer is a convolution, which hidden layers can't stand in for",
        advice: "use another recipe than mlp")
    case .noNumbers(let model):
      ErrorReport(
        .badData, file: model,
        problem: "rectifies what its last layer gives, or that has no bias: it can't give numbers",
        advice: "take another network, such as efficientnet_lite0 or resnet18")
    case .noDescription(let file):
      ErrorReport(
        .badData, file: file, problem: "doesn't say which network it holds",
        advice: "convert the original file with zoo convert")
    case .noLabels(let file):
      ErrorReport(
        .badData, file: file, place: "zoo.labels",
        problem: "doesn't name its classes, so that folders can't be matched",
        advice: "evaluate a checkpoint that zoo finetune or zoo convert wrote with labels")
    case .nothingReadable(let folder, let reason):
      ErrorReport(.badData, file: folder, problem: "no picture can be read; the first: \(reason)")
    case .unreadablePicture(let file, let reason):
      ErrorReport(
        .noInput, file: file,
        problem: "could be read when the run began, and can't be now (\(reason)); the run is saved",
        advice: "put it back and go on with --resume, or begin again with --force")
    case .missingTensor(let file, let name): ErrorReport(.badData, file: file, place: name, problem: "is missing")
    case .misshapenTensor(let file, let name, let expected, let found):
      ErrorReport(.badData, file: file, place: name, problem: "expected shape \(expected), found \(found)")
    case .runExists(let folder):
      ErrorReport(
        .cannotCreate, file: folder, problem: "holds a finished run",
        advice: "use --force to replace it, or -o for another folder")
    case .runUnfinished(let folder):
      ErrorReport(
        .cannotCreate, file: folder, problem: "holds an interrupted run",
        advice: "use --resume to go on, or --force to begin again")
    case .nothingToResume(let folder):
      ErrorReport(.noInput, file: folder, problem: "holds no interrupted run", advice: "leave --resume out")
    case .alreadyFinished(let folder):
      ErrorReport(.noInput, file: folder, problem: "holds a finished run", advice: "nothing is left to resume")
    case .noRun(let folder):
      ErrorReport(.noInput, file: folder, problem: "holds no finished run", advice: "name a folder of zoo finetune")
    case .otherVersion(let file):
      ErrorReport(
        .badData, file: file, place: "zoo.training", problem: "isn't what this version of zoo finetune writes")
    case .inUse(let folder):
      ErrorReport(.cannotCreate, file: folder, problem: "another process trains here", advice: "wait for it to end")
    case .unreadableState(let file):
      ErrorReport(
        .badData, file: file, problem: "is not the state of a run that this version can go on with",
        advice: "begin again with --force")
    case .otherRun(let folder, let what, let then, let now):
      ErrorReport(
        .usage, file: folder, problem: "the interrupted run had \(what) \(then), now it is \(now)",
        advice: "resume with the same flags, or begin again with --force")
    case .badOption(let name, let value, let expected):
      ErrorReport(.usage, problem: "\(name) \(value): expected \(expected)")
    case .diverged(let folder, let epoch, let step, let cause):
      ErrorReport(
        .badData, file: folder, problem: "epoch \(epoch), step \(step): \(cause.words); what was saved last is kept",
        advice: "go on from there with --resume and a lower --learning-rate, or with --clip 1")
    case .interrupted(let folder, let epoch, let epochs):
      ErrorReport(
        .interrupted, problem: "interrupted in epoch \(epoch) of \(epochs); all is saved in \(folder)",
        advice: "the same command with --resume goes on")
    case .emptyText(let name):
      ErrorReport(.badData, file: name, problem: "has a text without a token", advice: "leave it out")
    case .noToken(let file, let field):
      ErrorReport(
        .badData, file: file, problem: "doesn't say which token its \(field) is",
        advice: "convert it again, as a model of the catalogue")
    case .wrongTask(let model, let task):
      ErrorReport(
        .badData, file: model, problem: "can't be given a head for \(task.rawValue)",
        advice: "BERT, RoBERTa, DistilBERT and GPT-2 tell classes, T5 answers, GPT-2 goes on with texts")
    case .otherProblem(let model, let found, let expected):
      ErrorReport(
        .usage, file: model, problem: "is a network for \(found.rawValue), expected one for \(expected.rawValue)")
    case .nothingLearns(let model):
      ErrorReport(
        .usage, file: model, problem: "has no parameters of its own in the stages that are to learn",
        advice: "let more of them learn: --unfreeze N, or --recipe full")
    case .labelsDisagree(let file, let folder, let unknown, let known):
      ErrorReport(
        .badData, file: folder, problem: "class '\(unknown)' is not one that \(file) knows",
        advice: "its classes: " + known.prefix(12).joined(separator: ", ") + (known.count > 12 ? ", …" : ""))
    }
  }
}

extension TrainingError {
  /// The last names of each ending: layers repeat themselves.
  fileprivate static func examples(_ names: [String]) -> String {
    var endings: Set<Substring> = []
    let chosen = names.reversed().filter { name in
      endings.insert(name.split(separator: ".").suffix(3).filter { Int($0) == nil }.last ?? "").inserted
        || endings.insert(Substring(name.split(separator: ".").suffix(2).joined(separator: "."))).inserted
    }
    return chosen.prefix(6).joined(separator: ", ")
  }
}

extension TrainingError.Divergence {
  fileprivate var words: String {
    switch self {
    case .lossIsNoNumber: "the loss is no longer a number"
    case .gradientIsNoNumber(let loss):
      "the gradient is no longer a number (loss \(String(format: "%.3g", loss)))"
    case .lossExplodes(let loss, let first, let norm):
      "the loss has risen from \(String(format: "%.3g", first)) to \(String(format: "%.3g", loss)) "
        + "(norm of the gradient \(String(format: "%.3g", norm)))"
    }
  }
}
