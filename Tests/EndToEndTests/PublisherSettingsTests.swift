import Foundation
import TestSupport
import Testing

/// A `config.json` beside the weights tells networks apart that have the same names and shapes.
@Suite struct PublisherSettingsTests {
  /// A place with `tiny`, whose names somebody else uses too, and a folder of his with weights and their `config.json`.
  private func withFolder(_ variant: String, _ body: (Workplace) throws -> Void) throws {
    try Workplace.with { place throws in
      let files = FileManager.default
      let catalog = place.directory.file("catalog")
      try TinyCatalogue.write(to: catalog) { "https://example.org/\($0)" }
      try files.createDirectory(atPath: catalog + "/converters/elsewhere", withIntermediateDirectories: true)
      let map = """
        {"naming": "elsewhere", "family": "resnet", "version": 1, "models": ["tiny"], "settings": {"variant": {"cases": [
          {"is": "plain"}, {"is": "slow*", "config": {"epsilon": 0.001}}]}}, "rules": []}
        """
      try Data(map.utf8).write(to: URL(filePath: catalog + "/converters/elsewhere/resnet.json"))
      let folder = place.directory.file("published")
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try files.copyItem(atPath: Fixture.path("store/tiny-v1.pth"), toPath: folder + "/pytorch_model.bin")
      try Data(#"{"variant": "\#(variant)"}"#.utf8).write(to: URL(filePath: folder + "/config.json"))
      try body(place)
    }
  }

  @Test(arguments: ["published", "published/pytorch_model.bin"])
  func theConfigurationIsThePublishers(path: String) throws {
    try withFolder("slow2") { place throws in
      let identified = try place.zoo("identify", path, "--catalog", "catalog", "--top", "1")
      #expect(identified.code == 0, "\(identified.errors)")
      #expect(identified.output.contains("fits     tiny, elsewhere names, 5 classes, with epsilon 0.001"))
      let converted = try place.zoo("convert", path, "-o", "a.safetensors", "--catalog", "catalog")
      #expect(converted.code == 0, "\(converted.errors)")
      #expect(converted.output.contains("with     epsilon 0.001"))
      let bytes = try Data(contentsOf: URL(filePath: place.directory.file("a.safetensors")))
      let header = String(decoding: bytes.prefix(4096), as: UTF8.self)
      #expect(header.contains(#"\"epsilon\":0.001"#))
      let again = try place.zoo("verify", "a.safetensors", "--catalog", "catalog")
      #expect(again.code == 0, "\(again.output)\(again.errors)")
    }
  }

  @Test func anotherNetworkOfTheSameNamesIsNotConvertedAsTheModel() throws {
    try withFolder("odd") { place throws in
      let words = "config.json says variant odd, which is another network"
      let identified = try place.zoo("identify", "published", "--catalog", "catalog", "--top", "1")
      #expect(identified.code == 1)
      #expect(identified.output.contains("tiny, elsewhere names, 5 classes: \(words)"), "\(identified.output)")
      let converted = try place.zoo("convert", "published", "-o", "a.safetensors", "--catalog", "catalog")
      #expect(converted.code == 0, "\(converted.errors)")
      #expect(converted.output.contains("not in the catalogue"))
      #expect(converted.output.contains("differs from tiny (elsewhere names): \(words)"), "\(converted.output)")
      let forced = try place.zoo(
        "convert", "published", "--model", "tiny", "-o", "b.safetensors", "--catalog", "catalog")
      #expect(forced.code == 65)
      #expect(forced.errors.contains("does not fit tiny: \(words)"), "\(forced.errors)")
    }
  }
}
