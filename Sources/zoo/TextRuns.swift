import Foundation
import ZooCheckpoint
import ZooExport
import ZooInference

/// What `embed` does with texts.
struct TextEmbedRun {
  let embedder: TextEmbedder
  let output: String?
  let overwrite: Bool
  let display: DisplayOptions
  private static let batch = 32

  private struct Line: Encodable {
    let text: String
    let features: [Float]
  }

  func run(_ arguments: [String]) throws {
    let texts = TextArguments.lines(arguments)
    let file = try output.map { try NumPyRows(path: $0, columns: embedder.count, overwrite: overwrite) }
    for start in stride(from: 0, to: texts.count, by: Self.batch) {
      let part = Array(texts[start..<min(start + Self.batch, texts.count)])
      for (text, features) in zip(part, try embedder.embed(part)) {
        if let file { try file.append(features) } else { print(jsonLine(Line(text: text, features: features))) }
      }
    }
    guard let file else { return }
    try file.commit()
    if !display.json, !display.quiet { print("\(file.path)  [\(texts.count), \(embedder.count)] float32") }
  }
}

/// What `predict` says of texts.
struct TextPredictRun {
  let reader: TextReader
  let top: Int?
  let display: DisplayOptions

  private struct Guess: Encodable {
    let label: String
    let index: Int
    let probability: Double
    let text: String?
  }
  private struct Line: Encodable {
    let text: String
    let token: String?
    let predictions: [Guess]
  }

  func run(_ arguments: [String]) throws {
    for text in TextArguments.lines(arguments) {
      for saying in try reader.read(text, count: top ?? 5) {
        // A line a token would be lost among five guesses for each.
        let count = top ?? (saying.token != nil && saying.texts.isEmpty ? 1 : 5)
        let guesses = saying.prediction.top(count).map {
          Guess(label: $0.label, index: $0.index, probability: $0.probability, text: saying.texts[$0.index])
        }
        if display.json {
          print(jsonLine(Line(text: text, token: saying.token, predictions: guesses)))
        } else {
          for guess in guesses { print(line(guess, of: saying)) }
        }
      }
    }
  }

  private func line(_ guess: Guess, of saying: TextReader.Saying) -> String {
    var cells = [String(format: "%6.2f %%", guess.probability * 100), guess.label]
    if let text = guess.text { cells.append(text) } else if let token = saying.token { cells.insert(token, at: 1) }
    return cells.map { $0.escapingControlCharacters() }.joined(separator: "  ")
  }
}
