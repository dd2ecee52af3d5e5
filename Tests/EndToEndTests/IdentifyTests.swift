import Foundation
import TestSupport
import Testing

@Suite struct IdentifyTests {
  private struct Line: Decodable {
    struct Fit: Decodable {
      struct Difference: Decodable {
        let count: Int
        let examples: [String]
      }
      let model: String
      let naming: String
      let fits: Bool
      let lacksHead: Bool
      let classes: Int?
      let score: Double
      let missing: Difference
      let misshapen: Difference
    }
    let file: String
    let tensors: Int
    let fits: [Fit]
  }

  /// A place with `tiny` and a twin of it that is one stage longer.
  private func withModels(_ body: (Workplace) throws -> Void) throws {
    try Workplace.with { place throws in
      let folder = place.directory.file("catalog")
      try TinyCatalogue.write(to: folder) { "https://example.org/\($0)" }
      let path = URL(filePath: folder + "/zoo/resnet/tiny.json")
      let text = try String(contentsOf: path, encoding: .utf8)
        .replacingOccurrences(of: #""name": "tiny""#, with: #""name": "tinier""#)
        .replacingOccurrences(of: "[1, 1]", with: "[1, 2]")
      try Data(text.utf8).write(to: URL(filePath: folder + "/zoo/resnet/tinier.json"))
      try body(place)
    }
  }

  @Test func modelsAreRankedWithWhatDoesNotFit() throws {
    try withModels { place throws in
      let file = Fixture.path("store/tiny-v1.pth")
      let outcome = try place.zoo("identify", file, "--catalog", "catalog", "--json")
      #expect(outcome.code == 0, "\(outcome.errors)")
      let line = try JSONDecoder().decode(Line.self, from: Data(outcome.output.utf8))
      #expect(line.fits.map(\.model) == ["tiny", "tinier"])
      #expect(line.fits[0].fits && line.fits[0].score == 1 && line.fits[0].classes == 5)
      #expect(line.fits[0].naming == "torchvision")
      #expect(!line.fits[1].fits && line.fits[1].missing.count == 10)
      #expect(line.fits[1].missing.examples.first == "layer2.1.conv1.weight")
      let table = try place.zoo("identify", file, "--catalog", "catalog", "--top", "1").output
      #expect(table.contains("fits     tiny, torchvision names, 5 classes") && !table.contains("tinier"))
    }
  }

  @Test func weightsWithoutHeadFitAndSaySo() throws {
    try withModels { place throws in
      let file = Fixture.path("store/tiny-v1.pth")
      let converted = try place.zoo(
        "convert", file, "--head", "drop", "-o", "body.safetensors", "--catalog", "catalog")
      #expect(converted.code == 0, "\(converted.errors)")
      let outcome = try place.zoo("identify", "body.safetensors", "--catalog", "catalog")
      #expect(outcome.code == 0)
      #expect(outcome.output.contains("without its head: 2 missing (fc.weight, fc.bias)"))
    }
  }

  @Test func exitCodeSaysWhetherAModelFits() throws {
    try withModels { place throws in
      let known = Fixture.path("store/tiny-v1.pth")
      let unknown = Fixture.path("pytorch/dtypes-p2.pth")
      let outcome = try place.zoo("identify", known, unknown, "--catalog", "catalog")
      #expect(outcome.code == 1)
      #expect(outcome.output.contains("resembles no model of the catalogue"))
      #expect(outcome.complaints.count == 1 && outcome.errors.contains("no model fits it"))
      try place.write(Data("text".utf8), to: "notes.txt")
      #expect(try place.zoo("identify", known, "notes.txt", "--catalog", "catalog").code == 65)
      #expect(try place.zoo("identify", "none.pth").code == 66)
      #expect(try place.zoo("identify").code == 64)
    }
  }
}
