import ArgumentParser
import Foundation
import ZooCheckpoint
import ZooInference
import ZooVision

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Say what is in pictures, or of texts.",
    discussion: """
      Folders are searched for pictures, and - reads a list of paths from standard input, a path a line; there may be any \
      number of them. Pictures are prepared while the network runs, and told in their order.

        zoo predict resnet50 cat.jpg
        zoo predict resnet50 photos/
        find . -name '*.jpg' | zoo predict resnet50 - --json > predictions.jsonl

      For folders and lists each picture gets a line with its likeliest class, with --top N the N likeliest; with --json \
      always a line of JSON. A picture that can't be read is told where it stands and on standard error, the others go \
      on, and the exit code is 65.

      With a text model each argument is a text, and - is a text a line: a classifier names its class, a tagger each \
      token's, and a masked language model what stands for its mask:

        zoo predict bert_base_uncased "The capital of France is [MASK]."

      A multi-label network names each label whose probability is at least --threshold, with --json all of them; a \
      regression network gives its numbers.

      A segmentation network writes two pictures for each: PICTURE.mask.png, whose pixels are classes in Pascal VOC's \
      colours, and PICTURE.overlay.png.
      """)

  @Argument(
    help: "A checkpoint, any weight file of a known model, any ONNX classifier, or the name of a model in the store.")
  var model: String
  @OptionGroup var pictures: PictureArguments
  @Option(help: "How many classes to name; default: 5, a line a picture has 1.")
  var top: Int?
  @Option(help: "The least probability at which a multi-label network says a label; default: 0.5.")
  var threshold: Double?
  @Option(
    help: "A file with the names of the classes: JSON, or a name a line; default: the model's own.",
    completion: .file())
  var labels: String?
  @Option(
    name: .shortAndLong, help: "Where a segmentation network's pictures go; default: the current folder.",
    completion: .directory)
  var output = "."
  @Flag(help: "Replace pictures that exist.")
  var force = false
  @OptionGroup var precision: PrecisionOption
  @OptionGroup var display: DisplayOptions

  func validate() throws {
    if let top, top < 1 { throw ValidationError("--top must be 1 or more.") }
    if let threshold, !(0...1).contains(threshold) { throw ValidationError("--threshold must be from 0 to 1.") }
  }

  func run() throws {
    let catalog = try display.catalog()
    var options = ClassifierOptions(
      catalog: catalog, threads: pictures.threads, labels: try labels.map { try ClassifierOptions.labels(path: $0) },
      batch: pictures.batchSize)
    options.precision = precision.forTexts
    let classifier: any PictureClassifier
    switch try options.openNetwork(LoadedModel.path(of: display.local(model), catalog: catalog)) {
    case .classifier(let opened):
      try precision.checkForPictures()
      classifier = opened
    case .segmenter(let segmenter):
      try precision.checkForPictures()
      return try SegmentRun(segmenter: segmenter, folder: output, overwrite: force, display: display).run(pictures)
    case .reader(let reader):
      return try TextPredictRun(reader: reader, top: top, display: display).run(pictures.images)
    }
    if !display.quiet { for note in classifier.notes { Terminal.note(note.escapingControlCharacters()) } }
    try predict(classifier)
  }

  private func predict(_ classifier: some PictureClassifier) throws {
    try check(classifier.problem)
    let paths = PicturePaths(pictures.images)
    let isTable = pictures.isOpenEnded && !display.json
    let view = PredictionView(
      problem: classifier.problem, top: top, threshold: threshold ?? 0.5, isTable: isTable,
      hasNames: pictures.images.count > 1 || Terminal.isOutput, json: display.json)
    view.begin()
    var tally = PictureTally()
    try PicturePipeline(threads: pictures.threads).run(classifier, paths: { paths.next() }) { path, result in
      switch result {
      case .success(let prediction):
        tally.add()
        view.show(prediction, of: path)
      case .failure(let error):
        let problem = try tally.add(error)
        if display.json { print(jsonLine(BrokenPicture(image: path, error: problem))) }
      }
    }
    try tally.finish(pictures)
  }

  private func check(_ problem: ProblemType) throws {
    if threshold != nil, problem != .multiLabel {
      throw UsageError(problem: "--threshold is for multi-label networks, this one is for \(problem.rawValue)")
    }
    if top != nil, problem == .regression {
      throw UsageError(problem: "--top names the likeliest classes, this network gives numbers")
    }
  }
}
