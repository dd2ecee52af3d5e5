import ArgumentParser
import Foundation
import ZooCheckpoint
import ZooExport
import ZooInference
import ZooVision

struct EmbedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Give the features that a network sees in pictures or texts.",
    discussion: """
      The features are the input of the network's last linear layer: 2048 numbers a picture for resnet50. They serve \
      search, clustering, and classifiers of one's own. Folders and lists on standard input are taken as predict takes \
      them.

        zoo embed resnet50 photos/ -o features.npy
        find . -name '*.jpg' | zoo embed resnet50 - > features.jsonl

      With a text encoder each argument is a text, and - is a text a line:

        zoo embed minilm "How do I reset my password?" "I forgot my login"

      features.npy is [pictures, features], float32, in the order of the pictures; --json adds a line of JSON for each. \
      The row of a picture that can't be read is all NaN, its line says why, and the exit code is 65.
      """)

  @Argument(help: "A checkpoint, any weight file of a known model, or the name of a model in the store.")
  var model: String
  @OptionGroup var pictures: PictureArguments
  @Option(
    name: .shortAndLong, help: "The .npy file to write; default: a line of JSON a picture on standard output.",
    completion: .file(extensions: ["npy"]))
  var output: String?
  @Flag(help: "Replace the output if it exists.")
  var force = false
  @OptionGroup var precision: PrecisionOption
  @OptionGroup var display: DisplayOptions

  func run() throws {
    switch try OpenedModel.find(display.local(model), catalog: display.catalog()) {
    case .picture(let loaded):
      try precision.checkForPictures()
      try embedPictures(loaded)
    case .text(let loaded):
      let embedder = try TextEmbedder(loaded, precision: precision.forTexts, threads: pictures.threads)
      try TextEmbedRun(embedder: embedder, output: output, overwrite: force, display: display).run(pictures.images)
    }
  }

  private func embedPictures(_ loaded: LoadedModel) throws {
    let extractor = try FeatureExtractor(loaded, batch: pictures.batchSize, threads: pictures.threads)
    let file = try output.map { try NumPyRows(path: $0, columns: extractor.count, overwrite: force) }
    let paths = PicturePaths(pictures.images)
    var tally = PictureTally()
    try PicturePipeline(threads: pictures.threads).run(extractor, paths: { paths.next() }) { path, result in
      switch result {
      case .success(let features):
        tally.add()
        if let file { try file.append(features) } else { print(jsonLine(Line(image: path, features: features))) }
        if file != nil, display.json { print(jsonLine(Row(image: path, row: tally.count - 1))) }
      case .failure(let error):
        let problem = try tally.add(error)
        try file?.append([Float](repeating: .nan, count: extractor.count))
        if file == nil || display.json { print(jsonLine(BrokenPicture(image: path, error: problem))) }
      }
    }
    if tally.count > 0, let file {
      try file.commit()
      if !display.json, !display.quiet { print("\(file.path)  [\(tally.count), \(extractor.count)] float32") }
    }
    try tally.finish(pictures)
  }

  private struct Line: Encodable {
    let image: String
    let features: [Float]
  }
  private struct Row: Encodable {
    let image: String
    let row: Int
  }
}
