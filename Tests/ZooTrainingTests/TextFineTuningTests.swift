import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooInference

@testable import ZooTraining

/// The tiny networks of `make_sequences.py` on a few words.
@Suite struct TextFineTuningTests {
  /// Two classes that a word tells apart, and forty texts.
  static let words =
    "text,label\n"
    + (0..<40).map { place in
      let other = "word\(7 + place) word\(50 - place % 9)"
      return place % 2 == 0 ? "hello \(other),greeting" : "\(other) world,other"
    }.joined(separator: "\n")

  private struct Place {
    let folder: TemporaryDirectory
    let model: TextModel

    func file(_ name: String, _ text: String) throws -> String {
      try Data(text.utf8).write(to: URL(filePath: folder.file(name)))
      return folder.file(name)
    }

    func tuning(_ data: String, _ recipe: Recipe, to name: String = "run") throws -> TextFineTuning {
      let dataset = try TextDataset(path: data) { PretrainedText.purpose(of: model.task, hasTargets: $0) }
      var tuning = TextFineTuning(
        network: try PretrainedText(model, purpose: dataset.purpose, labels: dataset.labels), dataset: dataset,
        recipe: recipe, folder: folder.file(name))
      tuning.options.threads = 1
      return tuning
    }
  }

  private func withModel(
    _ name: String, tokenizer: [String: String] = TinyTokenizer.wordPieces, _ body: (Place) throws -> Void
  ) throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try body(Place(folder: folder, model: TextModel(path: folder.textModel(name, tokenizer: tokenizer))))
  }

  private func recipe(_ kind: Recipe.Kind, epochs: Int = 8, unfreeze: Int? = nil, rate: Double = 2e-2) throws -> Recipe
  {
    try Recipe(.texts(.classes), kind: kind, unfreeze: unfreeze, epochs: epochs, batchSize: 4, learningRate: rate)
  }

  /// Whatever stands on the encoder gives way to a head for the classes, which tells them from then on.
  @Test(arguments: [
    "bert", "bert_masked_lm", "roberta_masked_lm", "distilbert_masked_lm", "distilbert_sequences", "gpt2",
  ])
  func aNetworkLearnsClasses(_ name: String) throws {
    try withModel(name) { place in
      let data = try place.file("words.csv", Self.words)
      let result = try place.tuning(data, recipe(.full, epochs: 14)).run()
      let best = try #require(result.best)
      #expect(best.validationScore > 0.85 && result.confusion.accuracy == best.validationScore)
      #expect(!result.newlyInitialised.isEmpty)
      let tuned = try TextModel(path: result.folder.model)
      #expect(tuned.task == .textClassification && tuned.labels == ["greeting", "other"])
      let reader = try TextReader(tuned)
      for (text, label) in [("hello word9 word60", "greeting"), ("word9 word60 world", "other")] {
        let saying = try #require(try reader.read(text, count: 1).first)
        #expect(saying.prediction.top(1).first?.label == label)
      }
      let report = try String(contentsOfFile: result.folder.report, encoding: .utf8)
      #expect(report.contains("texts right") && report.contains("greeting"))
      let summary = try RunSummary(folder: result.folder.path)
      #expect(summary.accuracy == Proportion(result.confusion.correct, of: result.confusion.total))
    }
  }

  @Test func frozenLayersStayAsTheyWere() throws {
    try withModel("bert_masked_lm") { place in
      let data = try place.file("words.csv", Self.words)
      for (kind, unfrozen, frozen) in [
        (Recipe.Kind.head, 0, "bert.encoder.layer.1."), (.lastN, 1, "bert.encoder.layer.0."),
        (.staged, 1, "bert.encoder.layer.0."),
      ] {
        let run = try place.tuning(data, recipe(kind, epochs: 3, unfreeze: unfrozen), to: kind.rawValue)
        let result = try run.run()
        let (before, after) = (place.model.stateDict, try Checkpoint.open(path: result.folder.model).stateDict)
        var same = 0
        for (name, tensor) in after.tensors where before[name] != nil {
          let isSame = try before[name]?.floats() == tensor.floats()
          if name.hasPrefix(frozen) || name.contains("embeddings") { #expect(isSame, "\(kind) \(name)") }
          same += isSame ? 0 : 1
        }
        #expect((same > 0) == (unfrozen > 0), "\(kind)")
        #expect(
          result.newlyInitialised.contains("classifier.weight")
            && result.newlyInitialised.contains("bert.pooler.dense.weight"))
      }
    }
  }

  @Test(arguments: [Recipe.Kind.head, .full, .staged])
  func anInterruptedRunEndsInTheSameWeights(_ kind: Recipe.Kind) throws {
    try withModel("bert") { place in
      let data = try place.file("words.csv", Self.words)
      let recipe = try recipe(kind, epochs: 4, unfreeze: kind == .staged ? 2 : nil)
      let whole = try place.tuning(data, recipe, to: "whole").run()
      var resumes = false
      for stop in [3, 9, 11] {
        var steps = 0
        #expect(throws: TrainingError.self) {
          try place.tuning(data, recipe, to: "parts").run(
            resume: resumes, events: { if case .step = $0 { steps += 1 } }, isInterrupted: { steps == stop })
        }
        resumes = true
      }
      let parts = try place.tuning(data, recipe, to: "parts").run(resume: true)
      #expect(parts.checkpointDigest == whole.checkpointDigest && parts.epochs == whole.epochs)
    }
  }

  /// T5 learns to answer by the text's letter.
  @Test(arguments: ["t5", "t5_gated"])
  func anEncoderDecoderLearnsToAnswer(_ name: String) throws {
    try withModel(name, tokenizer: TinyTokenizer.characters) { place in
      let lines = (0..<48).map { place in
        let letter = Array("abcd")[place % 4]
        return #"{"input": "\#(String(repeating: letter, count: 2 + place % 7))x", "target": "\#(letter)z"}"#
      }
      let data = try place.file("pairs.jsonl", lines.joined(separator: "\n"))
      let recipe = try Recipe(.texts(.answers), epochs: 12, batchSize: 6, learningRate: 0.1)
      #expect(recipe.kind == .full)
      let result = try place.tuning(data, recipe).run()
      let best = try #require(result.best)
      #expect(best.validationScore > 0.9 && best.validationLoss < 0.5 * (result.epochs.first?.validationLoss ?? 0))
      let tuned = try TextModel(path: result.folder.model)
      #expect(tuned.task == .text2TextGeneration && result.newlyInitialised.isEmpty)
      #expect(try String(contentsOfFile: result.folder.report, encoding: .utf8).contains("perplexity"))
    }
  }

  @Test func aLanguageModelLearnsToGoOn() throws {
    try withModel("gpt2", tokenizer: TinyTokenizer.characters) { place in
      let text = (0..<24).map { String(repeating: "abcdefg", count: 3 + $0 % 3) }.joined(separator: "\n\n")
      let data = try place.file("letters.txt", text)
      var tuning = try place.tuning(data, Recipe(.texts(.continuation), epochs: 15, batchSize: 4, learningRate: 0.1))
      tuning.maximumLength = 16
      let result = try tuning.run()
      #expect(try #require(result.best).validationScore > 0.8)
      let tuned = try TextModel(path: result.folder.model)
      var options = GenerationOptions()
      options.maximumTokens = 5
      #expect(try TextGenerator(tuned, options: options).generate(["abcdefgabc"]) { _, _ in } == ["defga"])
      // The embedding is also the last layer, and is stored once.
      let checkpoint = try Checkpoint.open(path: result.folder.model)
      #expect(checkpoint.metadata.aliases == ["lm_head.weight": "transformer.wte.weight"])
    }
  }

  @Test func whatCannotBeLearntIsSaid() throws {
    try withModel("t5", tokenizer: TinyTokenizer.characters) { place in
      let data = try place.file("pairs.csv", "input,target\n" + (0..<8).map { "a\($0),b" }.joined(separator: "\n"))
      // Its last layer is the embedding, which belongs to the first stage.
      let head = try Recipe(.texts(.answers), kind: .head, epochs: 1)
      #expect(throws: TrainingError.nothingLearns(model: place.model.path)) { try place.tuning(data, head).run() }
      let text = try place.file("plain.txt", "a\n\nb\n")
      #expect(throws: TableError.unknownKind(file: text)) {
        try TextDataset(path: text) { _ in .answers }
      }
    }
    try withModel("bert") { place in
      let data = try place.file("one.csv", "text,label\nhello,a\nworld,a\n")
      #expect(throws: DataError.oneClass(folder: data, name: "a")) { try place.tuning(data, recipe(.head)) }
      let words = try place.file("words.csv", Self.words)
      var tuning = try place.tuning(words, recipe(.head))
      tuning.maximumLength = 41
      #expect(throws: TrainingError.badOption(name: "--max-length", value: "41", expected: "2 to 40")) {
        try tuning.run()
      }
      #expect(throws: DataError.headDisagrees(asked: 3, folder: words, labels: ["greeting", "other"])) {
        try TextDataset(path: words, head: 3) { _ in .classes }
      }
      #expect(throws: TrainingError.wrongTask(model: place.model.path, task: .text2TextGeneration)) {
        try PretrainedText(place.model, purpose: .answers, labels: [])
      }
    }
  }

  @Test func batchesHoldTextsOfAboutOneLength() {
    var random = SeededGenerator(seed: 5)
    let lengths = (0..<500).map { _ in Int.random(in: 1...200, using: &random) }
    let batches = LengthBuckets.batches(lengths, size: 8, seed: 3)
    let first = batches(1)
    #expect(first == batches(1) && first != batches(2) && first.count == batches(2).count)
    #expect(first.flatMap(\.self).sorted() == Array(0..<500) && first.allSatisfy { $0.count <= 8 })
    let spread = first.map { batch in (batch.map { lengths[$0] }.max() ?? 0) - (batch.map { lengths[$0] }.min() ?? 0) }
    #expect(spread.reduce(0, +) / spread.count < 20)
  }

  @Test func splitFilesAndEqualTextsAreRespected() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    func write(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: URL(filePath: folder.file(name)))
    }
    try write("train.csv", "text,label\nhello,1\nworld,10\nmore,2\n")
    try write("val.jsonl", "{\"text\": \"hello\", \"label\": 1}\n")
    let data = try TextDataset(path: folder.path) { _ in .classes }
    #expect(data.labels == ["1", "2", "10"] && data.training.count == 3 && data.validation.count == 1)
    #expect(data.sharedExamples == [.init(training: "train.csv:2", validation: "val.jsonl:1")])
    try write("val.jsonl", "{\"text\": \"hello\", \"label\": 4}\n")
    #expect(throws: DataError.unknownClass(folder: "val.jsonl:1", name: "4", known: ["1", "2", "10"])) {
      try TextDataset(path: folder.path) { _ in .classes }
    }
  }
}
