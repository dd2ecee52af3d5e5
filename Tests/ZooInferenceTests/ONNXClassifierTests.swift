import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooFormats
import ZooVision

@testable import ZooInference

/// ONNX models of no catalogue as classifiers of pictures.
@Suite struct ONNXClassifierTests {
  static func path(_ name: String) -> String { Fixture.path("onnx/\(name).onnx") }

  private func model(_ name: String) throws -> ONNXModel {
    try #require(WeightFile.open(path: Self.path(name)).onnx)
  }

  private func engine(_ name: String) throws -> (ONNXEngine, ONNXPictureInput) {
    let model = try model(name)
    let input = try ONNXPictureInput(model, file: name)
    return (try ONNXEngine(model, input: input, file: name, threads: 2), input)
  }

  @Test(arguments: [
    ("torch-script-11", "torch"), ("torch-script-13-batch", "torch"), ("torch-script-20", "torch"),
    ("torch-script-plain", "torch"), ("torch-script-keep", "torch"), ("torch-dynamo", "torch"),
    ("torch-dynamo-batch", "torch"), ("stranger-script", "stranger"), ("stranger-dynamo", "stranger"),
  ])
  func scoresAreTorchs(_ name: String, expected: String) throws {
    let tensors = try SafetensorsReader.read(
      MappedFile(path: Fixture.path("onnx/\(expected).expected.safetensors"))
    ).stateDict
    let x = try FloatTensor(try #require(tensors["x"]))
    let logits = try #require(tensors["logits"]).floats()
    let (engine, _) = try engine(name)
    let shape = [1] + x.shape.dropFirst()
    let one = FloatTensor(shape: shape, values: Array(try x.values().prefix(shape.reduce(1, *))))
    let found = Prediction(logits: try engine.scores(one), labels: []).probabilities
    let reference = Array(logits.prefix(found.count))
    // The stranger's own scores are probabilities.
    let wanted =
      expected == "stranger" ? reference.map(Double.init) : Prediction(logits: reference, labels: []).probabilities
    for (a, b) in zip(found, wanted) { #expect(abs(a - b) < 1e-5) }
  }

  @Test func preprocessingIsGuessedAloudAndLabelsAreTaken() throws {
    var options = ClassifierOptions(catalog: try Catalog(overlays: []), threads: 2, labels: ["x", "y", "z"])
    let picture = Picture(width: 4, height: 4, pixels: [UInt8](repeating: 90, count: 48))
    let classifier = try options.open(Self.path("stranger-script"))
    #expect(classifier.notes.count == 1)
    #expect(classifier.notes.first?.contains("8×8 from the middle of 9") == true)
    #expect(try Set(classifier.predict(picture).top(3).map(\.label)) == ["x", "y", "z"])
    options.labels = nil
    let unnamed = try options.open(Self.path("stranger-script"))
    #expect(unnamed.notes.last == "the model names no classes: give them with --labels")
    #expect(try unnamed.predict(picture).top(1)[0].label.hasPrefix("class "))
    options.labels = ["only one"]
    #expect(throws: ModelError.labels(file: Self.path("stranger-script"), found: 1, classes: 3)) {
      _ = try options.open(Self.path("stranger-script"))
    }
  }

  @Test func modelThatTakesNoPictureIsToldWhy() throws {
    let options = ClassifierOptions(catalog: try Catalog(overlays: []))
    for (name, words) in [("constants", "has [1], expected"), ("subgraphs", "has [], expected")] {
      do {
        _ = try options.open(Self.path(name))
        Issue.record("\(name) was opened")
      } catch let error as ModelError {
        #expect(error.report.problem.contains(words), "\(error.report.line)")
      }
    }
  }

  @Test(arguments: [
    ("[\"a\", \"b\"]", ["a", "b"]), ("a\nb c\n", ["a", "b c"]), ("{\"0\": \"a\", \"1\": \"b\"}", ["a", "b"]),
    ("{0: 'tench', 1: \"it's\", 2: 'a\\'b'}", ["tench", "it's", "a'b"]), ("['a', 'b']", ["a", "b"]),
    ("{5: 'a'}", []), ("", []),
  ])
  func namesOfClassesAreReadFromEveryUsualSpelling(_ text: String, names: [String]) {
    #expect(ClassNames(text).names == names)
  }
}
