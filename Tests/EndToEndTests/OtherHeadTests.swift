import Foundation
import TestSupport
import Testing

/// Heads for labels and for numbers, from the table to what is said of a picture.
@Suite struct OtherHeadTests {
  private static let kinds = ["arrow", "crescent", "heart"]

  /// The demo's pictures and network, and a table of them.
  private func withTable(_ head: String, _ rows: [String], _ body: (Workplace) throws -> Void) throws {
    try Workplace.with { place throws in
      #expect(try place.zoo("finetune", "--epochs", "1", "-o", "demo", "--quiet").code == 0)
      var lines = [head]
      for (kind, row) in zip(Self.kinds, rows) {
        lines += (0..<12).map { "demo/pictures/val/\(kind)/00\($0 < 10 ? "0" : "")\($0).png,\(row)" }
      }
      try place.write(Data(lines.joined(separator: "\n").utf8), to: "table.csv")
      try body(place)
    }
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func labelsAreLearntAndTold() throws {
    try withTable("path,labels", ["pointed|straight", "pointed", ""]) { place in
      let run = try place.zoo(
        "finetune", "--model", "demo/model.safetensors", "--data", "table.csv", "--epochs", "20", "-o", "run",
        "--tensorboard")
      #expect(run.code == 0, "\(run.errors)")
      #expect(run.output.contains("--task multi-label: ") && run.output.contains("2 labels that each hold or not"))
      #expect(run.output.contains("mAP ") && !run.output.contains("accuracy"))
      let model = "run/model.safetensors"
      let arrow = "demo/pictures/train/arrow/0000.png"
      let told = try json(try place.zoo("predict", model, arrow, "--json").output)
      let guesses = try #require(told["predictions"] as? [[String: Any]])
      // Each label by itself: they don't add up to 1.
      #expect(guesses.count == 2 && guesses.compactMap { $0["probability"] as? Double }.reduce(0, +) > 1.2)
      let lines = try place.zoo("predict", model, "demo/pictures/train/heart", "--threshold", "0.9").output
        .split(separator: "\n")
      #expect(lines.first == "probability\tlabel\timage" && lines.contains { $0.hasPrefix("–\t–\t") })
      let evaluated = try json(try place.zoo("evaluate", model, "--data", "table.csv", "--json").output)
      #expect(try #require(evaluated["meanAveragePrecision"] as? Double) > 0.8)
      #expect(
        (evaluated["labels"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["pointed", "straight"])
      #expect(try place.zoo("evaluate", model, "--data", "demo/pictures").code == 64)
      let inspected = try place.zoo("inspect", model)
      #expect(inspected.errors.contains("labels (multi-label): pointed, straight"))
      let compared = try place.zoo("compare", "run", "demo")
      #expect(compared.output.contains("SCORE") && compared.output.contains(" (mAP)"))
      // Another format brings it back.
      #expect(try place.zoo("export", model, "--to", "onnx", "-o", "model.onnx").code == 0)
      let again = try json(try place.zoo("predict", "model.onnx", arrow, "--json").output)
      #expect((again["predictions"] as? [[String: Any]])?.first?["label"] as? String == guesses[0]["label"] as? String)
      #expect(
        try place.zoo("predict", "demo/model.safetensors", arrow, "--threshold", "0.5").errors.contains("multi-label"))
    }
  }

  @Test func numbersAreLearntAndTold() throws {
    try withTable("path,size", ["1200", "1500", "1800"]) { place in
      let unknown = try place.zoo("finetune", "--model", "demo/model.safetensors", "--data", "table.csv", "-o", "run")
      #expect(unknown.code == 65 && unknown.complaints.count == 1 && unknown.errors.contains("size"))
      let run = try place.zoo(
        "finetune", "--model", "demo/model.safetensors", "--data", "table.csv", "--task", "regression", "--targets",
        "size", "--epochs", "20", "-o", "run")
      #expect(run.code == 0, "\(run.errors)")
      #expect(run.output.contains("1 number: size") && run.output.contains("RMSE"))
      let picture = "demo/pictures/train/heart/0000.png"
      let told = try json(try place.zoo("predict", "run/model.safetensors", picture, "--json").output)
      let values = try #require(told["values"] as? [[String: Any]])
      #expect(values.first?["name"] as? String == "size")
      #expect((1000.0..<2200).contains(try #require(values.first?["value"] as? Double)))
      let lines = try place.zoo("predict", "run/model.safetensors", "demo/pictures/train/heart").output
      #expect(lines.hasPrefix("value\tname\timage\n"))
      let evaluated = try json(
        try place.zoo("evaluate", "run/model.safetensors", "--data", "table.csv", "--json").output)
      #expect(try #require(evaluated["rootMeanSquaredError"] as? Double) < 200)
      #expect(evaluated["r2"] as? Double ?? 0 > 0.3)
      #expect(try place.zoo("predict", "run/model.safetensors", picture, "--top", "3").code == 64)
      let log = try String(contentsOfFile: place.directory.file("run/log.jsonl"), encoding: .utf8)
      #expect(log.contains("validationRootMeanSquaredError") && !log.contains("ccuracy"))
    }
  }

  @Test func badTablesHaveOneLine() throws {
    try withTable("path,size", ["1200", "much", "1800"]) { place in
      func fails(_ code: Int32, _ words: String, _ arguments: String...) throws {
        let outcome = try Program.run(
          ["finetune", "--model", "demo/model.safetensors", "-o", "run"] + arguments, in: place.directory.path)
        #expect(outcome.code == code && outcome.complaints.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(!place.exists("run"))
      }
      try fails(
        65, "table.csv: line 14: size 'much' is not a number", "--data", "table.csv", "--targets", "size", "--task",
        "regression")
      try fails(65, "has no column 'width'", "--data", "table.csv", "--targets", "width")
      try fails(64, "--task classes", "--data", "table.csv", "--targets", "size", "--task", "classes")
      try fails(64, "needs a table", "--data", "demo/pictures", "--task", "multi-label")
      let unknown = try place.zoo("finetune", "--data", "table.csv", "--task", "many")
      #expect(unknown.code == 64 && unknown.errors.contains("one of 'classes', 'multi-label' or 'regression'"))
    }
  }
}
