import ArgumentParser
import ZooCheckpoint
import ZooInference
import ZooVision

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Say what is in pictures.",
    discussion: "A picture that can't be read is named and left out; the exit code is then 65.")

  @Argument(
    help: "A checkpoint, any weight file of a known model, any ONNX classifier, or the name of a model in the store.")
  var model: String
  @Argument(help: "Pictures: JPEG, PNG or WebP.", completion: .file())
  var images: [String]
  @Option(help: "How many classes to name.")
  var top = 5
  @Option(
    help: "A file with the names of the classes: JSON, or a name a line; default: the model's own.",
    completion: .file())
  var labels: String?
  @Option(help: "Threads to run on; default: one a core.")
  var threads: Int?
  @OptionGroup var display: DisplayOptions

  func validate() throws {
    guard !images.isEmpty else { throw ValidationError("Name at least one picture.") }
    guard top >= 1 else { throw ValidationError("--top must be 1 or more.") }
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more.") }
  }

  func run() throws {
    let catalog = try display.catalog()
    let options = ClassifierOptions(
      catalog: catalog, threads: threads, labels: try labels.map { try ClassifierOptions.labels(path: $0) })
    let classifier = try options.open(LoadedModel.path(of: display.local(model), catalog: catalog))
    if !display.quiet { for note in classifier.notes { Terminal.note(note.escapingControlCharacters()) } }
    var failures: [ErrorReport] = []
    for image in images {
      do {
        let guesses = try classifier.predict(Picture.decode(path: image)).top(top)
        show(guesses, of: image)
      } catch let error as any ReportableError {
        failures.append(error.report)
      }
    }
    if !failures.isEmpty { throw UnreadablePictures(reports: failures) }
  }

  private struct Line: Encodable {
    let image: String
    let predictions: [Prediction.Guess]
  }

  private func show(_ guesses: [Prediction.Guess], of image: String) {
    if display.json { return print(jsonLine(Line(image: image, predictions: guesses))) }
    if images.count > 1 || Terminal.isOutput { print(Terminal.bold(image.escapingControlCharacters())) }
    let width = guesses.map(\.label.count).max() ?? 0
    let cells = max(0, min(40, Terminal.width - width - 12))
    for guess in guesses {
      let name = guess.label.escapingControlCharacters()
      let label = Terminal.isOutput ? name.padding(toLength: width, withPad: " ", startingAt: 0) : name
      let filled = Int((guess.probability * Double(cells)).rounded())
      let bar = Terminal.isOutput ? "  " + String(repeating: "█", count: filled) : ""
      print("\(String(format: "%6.2f %%", guess.probability * 100))  \(label)\(bar)")
    }
  }
}

/// Pictures among others that could not be read.
private struct UnreadablePictures: ReportableErrors {
  let reports: [ErrorReport]
}

import Foundation
