import Foundation
import TestSupport
import Testing

/// Bad input ends in one clear line, the documented exit code and no output.
@Suite struct BadInputTests {
  private func expectRefusal(
    _ outcome: Program.Outcome, code: Int32, saying words: String, _ place: Workplace, files: [String] = []
  ) {
    #expect(outcome.code == code, "\(outcome.errors)")
    #expect(outcome.complaints.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(place.files == files)
  }

  @Test func aMissingFile() throws {
    try Workplace.with { place throws in
      expectRefusal(try place.zoo("convert", "none.pth"), code: 66, saying: "none.pth: no such file", place)
    }
  }

  @Test func aDirectory() throws {
    try Workplace.with { place throws in
      try FileManager.default.createDirectory(atPath: place.directory.file("empty"), withIntermediateDirectories: false)
      expectRefusal(
        try place.zoo("convert", "empty", "-o", "x.safetensors"), code: 66, saying: "is a folder without weights",
        place,
        files: ["empty"])
    }
  }

  @Test func anEmptyFileAndAText() throws {
    try Workplace.with { place throws in
      try place.write(Data(), to: "a.pth")
      expectRefusal(try place.zoo("convert", "a.pth"), code: 65, saying: "is empty", place, files: ["a.pth"])
      try place.write(Data("hello\n".utf8), to: "a.pth")
      expectRefusal(try place.zoo("convert", "a.pth"), code: 65, saying: "no weight file", place, files: ["a.pth"])
    }
  }

  @Test func aZipCutAtEverySixteenth() throws {
    let whole = try Data(contentsOf: URL(filePath: Fixture.path("pytorch/dtypes-p2.pth")))
    try Workplace.with { place throws in
      for part in 1..<16 {
        try place.write(whole.prefix(whole.count * part / 16), to: "cut.pth")
        let outcome = try place.zoo("convert", "cut.pth")
        expectRefusal(outcome, code: 65, saying: "cut.pth", place, files: ["cut.pth"])
      }
    }
  }

  @Test func anOutputThatExistsStaysAsItIs() throws {
    try Workplace.with { place throws in
      try place.write(Data("mine".utf8), to: "out.safetensors")
      let source = Fixture.path("pytorch/dtypes-p2.pth")
      let outcome = try place.zoo("convert", source, "-o", "out.safetensors")
      expectRefusal(outcome, code: 73, saying: "--force", place, files: ["out.safetensors"])
      #expect(try String(contentsOfFile: place.directory.file("out.safetensors"), encoding: .utf8) == "mine")
      #expect(try place.zoo("convert", source, "-o", "out.safetensors", "--force").code == 0)
      #expect(try place.zoo("verify", "out.safetensors").code == 0)
    }
  }

  @Test(arguments: ["0", "1"])
  func aHeadWithoutAChoice(head: String) throws {
    try Workplace.with { place throws in
      expectRefusal(try place.zoo("finetune", "--head", head), code: 64, saying: "at least 2 classes", place)
    }
  }

  @Test func aHeadThatTheDemoHasNot() throws {
    try Workplace.with { place throws in
      expectRefusal(try place.zoo("finetune", "--head", "5"), code: 64, saying: "--data", place)
    }
  }

  @Test func aPictureFolderWithOneClassOrAnEmptyOne() throws {
    try Workplace.with { place throws in
      let picture = try Data(contentsOf: URL(filePath: Fixture.path("vision/rgb8.png")))
      let model = Fixture.path("engine/basic.safetensors")
      try FileManager.default.createDirectory(
        atPath: place.directory.file("data/cat"), withIntermediateDirectories: true)
      try place.write(picture, to: "data/cat/1.png")
      expectRefusal(
        try place.zoo("finetune", "--model", model, "--data", "data"), code: 65, saying: "one class only", place,
        files: ["data"])
      try FileManager.default.createDirectory(
        atPath: place.directory.file("data/dog"), withIntermediateDirectories: true)
      expectRefusal(
        try place.zoo("finetune", "--model", model, "--data", "data"), code: 65, saying: "'dog' has no pictures", place,
        files: ["data"])
      expectRefusal(
        try place.zoo("finetune", "--model", model, "--data", "none"), code: 66, saying: "none: no such", place,
        files: ["data"])
    }
  }

  @Test func anUnknownFlagOrVerb() throws {
    try Workplace.with { place throws in
      #expect(try place.zoo("convert", "--nonsense").code == 64)
      #expect(try place.zoo("nonsense").code == 64)
      #expect(try place.zoo("predict", "resnet50").code == 64)
    }
  }

  @Test func aModelThatTheStoreLacks() throws {
    try Workplace.with { place throws in
      expectRefusal(
        try place.zoo("predict", "resnet50", "cat.jpg"), code: 66, saying: "resnet50 is not in the store", place)
      expectRefusal(try place.zoo("info", "resnet5"), code: 66, saying: "resnet5", place)
    }
  }
}
