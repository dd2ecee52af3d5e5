import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooGraph

@testable import ZooCatalog

@Suite struct DataFileTests {
  static func json(_ path: String) throws -> JSONValue {
    let files = try CatalogFiles()
    return try files.decode(JSONValue.self, path)
  }

  static func schema(for path: String) throws -> JSONValue? {
    let folder = path.split(separator: "/").first
    if path.hasPrefix("zoo/labels/") || path.hasPrefix("zoo/demo/") { return nil }
    switch folder {
    case "zoo": return try json("zoo/model.schema.json")
    case "converters": return try json("converters/name-map.schema.json")
    default: return try json("checksums/checksums.schema.json")
    }
  }

  @Test(arguments: ["zoo", "converters", "checksums"])
  func everyFileHoldsToItsSchema(folder: String) throws {
    let files = try CatalogFiles()
    let paths = files.paths(under: folder)
    #expect(!paths.isEmpty)
    for path in paths {
      guard let schema = try Self.schema(for: path) else { continue }
      #expect(SchemaChecker.problems(try Self.json(path), schema) == [], "\(path)")
    }
  }

  @Test func programCarriesEveryFileUnchanged() throws {
    let root = URL(filePath: Fixture.path("")).deletingLastPathComponent().deletingLastPathComponent()
    let files = try CatalogFiles()
    for file in packedCatalog {
      #expect(try files.contents(of: file.path) == Data(contentsOf: root.appending(path: file.path)), "\(file.path)")
    }
  }

  @Test func schemaCheckerFindsWhatIsWrong() throws {
    let schema = try Self.json("checksums/checksums.schema.json")
    let text = #"{"publisher": 3, "files": [{"file": "a", "sha256": "xyz", "model": "m", "colour": "red"}]}"#
    let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    #expect(
      SchemaChecker.problems(value, schema) == [
        ".files[0]: lacks 'weights'", ".files[0]: has 'colour'",
        ".files[0].sha256: 'xyz' doesn't match ^[0-9a-f]{64}$", ".publisher: is no string",
      ])
  }

  @Test func everyModelLiesInItsFamilysFolder() throws {
    for path in try CatalogFiles().paths(under: "zoo") where try Self.schema(for: path) != nil {
      let file = try CatalogFiles().decode(ModelFile.self, path)
      #expect(path == "zoo/\(file.family)/\(file.name).json")
    }
  }

  @Test func weightsAndChecksumsAgree() throws {
    let catalog = try Catalog(overlays: [])
    let published = Dictionary(uniqueKeysWithValues: catalog.publishedFiles.map { ($0.file, $0) })
    for model in catalog.models {
      for weights in model.weights {
        guard weights.sha256 ?? weights.sha256Prefix ?? weights.md5 != nil else {
          // Files of one name have no digest that tells them apart.
          #expect(published[weights.file] == nil)
          continue
        }
        let file = try #require(published[weights.file])
        #expect(file.digest == weights.sha256 ?? weights.sha256Prefix ?? weights.md5)
        #expect(file.model == model.name)
        #expect(file.weights == weights.id)
        for older in weights.olderFiles ?? [] {
          #expect(published[older.file]?.digest == older.sha256Prefix)
          #expect(published[older.file]?.replacedBy == weights.file)
        }
      }
    }
  }
}
