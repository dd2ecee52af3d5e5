import Foundation
import TestSupport
import Testing

/// `zoo scan` as a person and a pipeline use it.
@Suite struct ScanTests {
  private struct Line: Decodable {
    struct Finding: Decodable {
      let severity: String
      let kind: String
      let place: String?
      let detail: String
    }
    let file: String
    let verdict: String
    let format: String?
    let sha256: String?
    let findings: [Finding]
  }

  private static let attack = Data("cos\nsystem\n(S'id'\ntR.".utf8)

  @Test func exitCodesSayWhatWasFound() throws {
    try Workplace.with { place throws in
      let weights = Fixture.path("pytorch/dtypes-p2.pth")
      try place.write(Self.attack, to: "model.bin")
      try place.write(Data("text".utf8), to: "notes.txt")
      #expect(try place.zoo("scan", weights).code == 0)
      #expect(try place.zoo("scan", "model.bin").code == 1)
      #expect(try place.zoo("scan", weights, "model.bin", "none.pth").code == 1)
      #expect(try place.zoo("scan", weights, "notes.txt").code == 65)
      #expect(try place.zoo("scan", "none.pth").code == 66)
      #expect(try place.zoo("scan").code == 64)
      #expect(place.files == ["model.bin", "notes.txt"])
    }
  }

  @Test func everyFileIsOneLineOfJSON() throws {
    try Workplace.with { place throws in
      try place.write(Self.attack, to: "a\u{1B}[31m.bin")
      let weights = Fixture.path("pytorch/dtypes-p2.pth")
      let outcome = try place.zoo("scan", "--json", weights, "a\u{1B}[31m.bin")
      let lines = try outcome.output.split(separator: "\n").map {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8))
      }
      #expect(lines.map(\.verdict) == ["clean", "dangerous"])
      #expect(lines[0].format == "PyTorch zip" && lines[0].sha256?.count == 64)
      #expect(lines[1].findings.map(\.kind) == ["code-running-call"])
      #expect(lines[1].findings.first?.detail == "calls os.system('id')")
      let table = try place.zoo("scan", "a\u{1B}[31m.bin").output
      #expect(!table.unicodeScalars.contains("\u{1B}") && table.contains("\\u{1B}"))
    }
  }

  @Test func folderIsScannedWithTheCodeThatComesAlong() throws {
    try Workplace.with { place throws in
      try FileManager.default.createDirectory(
        atPath: place.directory.file("m/inner"), withIntermediateDirectories: true)
      try place.write(Data(#"{"auto_map":{"AutoModel":"modeling_x.Net"}}"#.utf8), to: "m/config.json")
      try place.write(Data("import os\n".utf8), to: "m/modeling_x.py")
      try place.write(Data("# A model\n".utf8), to: "m/README.md")
      try place.write(Self.attack, to: "m/inner/vocabulary.txt")
      try place.write(
        try Data(contentsOf: URL(filePath: Fixture.path("pytorch/dtypes-p2.expected.safetensors"))),
        to: "m/model.safetensors")
      let outcome = try place.zoo("scan", "--json", "m")
      #expect(outcome.code == 1)
      let lines = try outcome.output.split(separator: "\n").map {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8))
      }
      #expect(
        lines.map { "\($0.file) \($0.verdict)" } == [
          "m/config.json suspicious", "m/inner/vocabulary.txt dangerous", "m/model.safetensors clean",
          "m/modeling_x.py suspicious",
        ])
    }
  }

  /// Python's reader of JSON takes all of these.
  @Test(arguments: [
    (#"{"auto_map": {"AutoModel": "x.Net"}, "weight_map": {"w": "a.bin"}}"#, "remote-code"),
    (#"{"dropout": NaN, "scale": [-Infinity, Infinity], "auto_map": {"AutoModel": "x.Net"}}"#, "remote-code"),
    (#"{"note": "a \"NaN", "dropout": NaN, "auto_map": {"AutoModel": "x.Net"}}"#, "remote-code"),
    (#"{"auto_map": {"AutoModel": "x.Net"},,}"#, "malformed"),
  ])
  func configurationsThatNameCodeDoNotHide(_ text: String, _ kind: String) throws {
    try Workplace.with { place throws in
      try FileManager.default.createDirectory(atPath: place.directory.file("m"), withIntermediateDirectories: true)
      for name in ["config.json", "model.safetensors.index.json"] {
        try place.write(Data(text.utf8), to: "m/\(name)")
      }
      for path in ["m", "m/config.json"] {
        let lines = try place.zoo("scan", "--json", path).output.split(separator: "\n").map {
          try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        #expect(lines.first?.file == "m/config.json")
        #expect(lines.first?.findings.map(\.kind) == [kind], "\(lines)")
      }
    }
  }

  @Test func nameThatPromisesAnotherDigestIsSuspicious() throws {
    try Workplace.with { place throws in
      let data = try Data(contentsOf: URL(filePath: Fixture.path("pytorch/dtypes-p2.pth")))
      try place.write(data, to: "resnet50-0676ba61.pth")
      let outcome = try place.zoo("scan", "resnet50-0676ba61.pth")
      #expect(outcome.code == 1)
      #expect(outcome.output.contains("its name promises the SHA-256 0676ba61"))
    }
  }
}
