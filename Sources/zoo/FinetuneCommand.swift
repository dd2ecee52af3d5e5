import ArgumentParser
import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooGraph
import ZooInference
import ZooTraining

struct FinetuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune", abstract: "Adapt a network to classes, labels or numbers of your own.",
    discussion: """
      The data is a folder with one folder of pictures a class, or with train/ and val/ folders of such; or a table \
      (.csv, .tsv, .jsonl; columns path, label and perhaps split), or a folder with a metadata.jsonl of such. A table can \
      also give each picture several labels, or numbers (--task). The last \
      layer is replaced and learns on features of the frozen rest, which are computed once; --recipe says what \
      else learns. Written are model.safetensors, log.jsonl and report.html.

      With a text model the data is a .csv, .tsv or .jsonl file of texts and labels (or inputs and targets, which T5 \
      learns to answer), a .txt file that GPT-2 learns to go on with, or a folder with train and val files of such:

        zoo finetune --model minilm.safetensors --data reviews.csv --unfreeze 2

      With a network that gives each pixel a class (zoo list --task image-segmentation) the data is a folder with \
      images/ and masks/, each perhaps with train/ and val/ in it, or Pascal VOC's folders, or a table with columns path \
      and mask. A mask is a PNG of its picture's name and size, whose gray values or palette indices are numbers of \
      classes; 255 is ignored. classes.txt may name the classes, a line each:

        zoo finetune --model lraspp_mobilenet_v3_large --data leaves --recipe full --size 256 --augment standard

      Without --data and --model the built-in demo runs: a tiny network inside the program learns three kinds of \
      shapes that it has never seen.

      Ctrl-C saves everything; the same command with --resume goes on.
      """)

  @Option(help: "Number of classes; must agree with the data, which decides where this is left out.")
  var head: Int?
  @Option(help: "A checkpoint, any weight file of a known model, or the name of a model in the store.")
  var model: String?
  @Option(help: "The folder of pictures, or the file or folder of texts.", completion: .file())
  var data: String?
  @Option(
    help:
      "A table of pictures and their parts, columns path and split (train, validation, test), instead of a seeded split.",
    completion: .file())
  var split: String?
  @Option(name: [.short, .customLong("output")], help: "The folder to write into.", completion: .directory)
  var output: String?
  @OptionGroup(title: "Tables of pictures") var pictures: PictureDataOptions
  @OptionGroup(title: "Recipe") var learning: LearningOptions
  @OptionGroup(title: "Texts") var texts: TextDataOptions
  @Option(help: "Threads to run on; default: one a core.")
  var threads: Int?
  @Option(help: "Seconds between two saves of the run; 0 saves after every step. Default: 10.")
  var saveEvery: Double?
  @Flag(help: "Look for a learning rate instead of training: tries rising ones and writes rates.html (pictures).")
  var findRate = false
  @Flag(help: "Also write the curves for TensorBoard, into the output folder.")
  var tensorboard = false
  @Flag(help: "Go on with the interrupted run in the output folder.")
  var resume = false
  @Flag(help: "Replace a run in the output folder.")
  var force = false
  @OptionGroup var display: DisplayOptions

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more.") }
    if let saveEvery, !(saveEvery >= 0) { throw ValidationError("--save-every must be 0 or more seconds.") }
    if resume, force { throw ValidationError("--resume goes on, --force begins again: choose one.") }
  }

  func run() throws {
    if let head, head < 2 { throw DataError.headTooSmall(asked: head) }
    let stop = StopRequest.onSignal()
    let view = FineTuningView(display: display)
    guard let data else {
      if model != nil {
        throw UsageError(problem: "--model needs --data, a folder with one folder of pictures a class")
      }
      return try DemoRun(
        head: head, folder: output ?? "zoo-demo", seed: learning.seed, epochs: learning.epochs, threads: threads,
        resume: resume, force: force, command: commandLine, display: display
      ).run(view: view, stop: stop)
    }
    if TextDataset.mayStand(at: data) {
      guard let model else {
        throw UsageError(problem: "tables of texts and pictures need --model, such as bert_base_uncased or resnet50")
      }
      if case .text(let text) = try OpenedModel.find(display.local(model), catalog: display.catalog()) {
        return try TextFineTuningRun(command: self, view: view, stop: stop).run(text, data: data)
      }
    }
    if SegmentationDataset.mayStand(at: data) {
      return try SegmentationFineTuningRun(command: self, view: view, stop: stop).run(data)
    }
    let dataset = try Dataset(
      folder: data, columns: pictures.columns(label: texts.labelColumn), seed: learning.seed, head: head, split: split)
    let recipe = try learning.recipe(for: dataset, chosen: view.show(_:))
    var tuning = FineTuning(
      network: try network(for: .imageClassification, data: data), dataset: dataset, recipe: recipe,
      folder: output ?? defaultFolder(dataset.folder))
    tuning.options = options
    view.begin(tuning)
    if findRate {
      let search = try tuning.findRate(events: view.show, isInterrupted: stop.isAsked)
      return view.show(search, page: tuning.folder.rates)
    }
    let result = try tuning.run(resume: resume, force: force, events: view.show, isInterrupted: stop.isAsked)
    try view.finish(result)
  }

  var options: RunOptions {
    var options = RunOptions()
    options.command = commandLine
    options.threads = threads
    options.saveInterval = saveEvery ?? options.saveInterval
    options.writesTensorBoard = tensorboard
    return options
  }

  private var commandLine: String {
    (["zoo"] + CommandLine.arguments.dropFirst()).map(\.quotedForShell).joined(separator: " ")
  }

  /// What the run begins with.
  func network(for task: NetworkTask, data: String) throws -> PretrainedNetwork {
    if let model = try modelWithoutWeights() { return try PretrainedNetwork(untrained: model, for: task) }
    let loaded = try loadedModel()
    if task == .imageClassification, loaded.task == .imageSegmentation { throw MaskDataError.noMasks(folder: data) }
    return try PretrainedNetwork(loaded, for: task)
  }

  /// From scratch a name in the catalogue is enough.
  private func modelWithoutWeights() throws -> Model? {
    guard case .kind(.scratch)? = learning.recipe, let model, !FileManager.default.fileExists(atPath: model),
      !ModelStore().contains(model)
    else { return nil }
    return try display.catalog().models.first { $0.name == model }
  }

  private func loadedModel() throws -> LoadedModel {
    let catalog = try display.catalog()
    if let model { return try LoadedModel.find(display.local(model), catalog: catalog) }
    let store = ModelStore()
    guard let best = store.best(of: catalog) else {
      throw UsageError(
        problem: "--model is missing, and no model is in the store \(store.folder)",
        advice: "name a checkpoint: --model resnet50.safetensors (zoo convert makes one)")
    }
    if !display.quiet { Terminal.note("zoo: --model \(best.name), the most accurate in the store") }
    return try LoadedModel.find(best.name, catalog: catalog)
  }

  func defaultFolder(_ data: String) -> String {
    let name = URL(filePath: data).standardizedFileURL.lastPathComponent
    return (name.isEmpty || name == "/" ? "data" : name) + "-finetuned"
  }
}

extension String {
  /// As a shell reads it back.
  var quotedForShell: String {
    let isPlain = !isEmpty && allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0) }
    return isPlain ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
