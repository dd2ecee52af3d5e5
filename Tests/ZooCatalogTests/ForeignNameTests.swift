import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooGraph

@testable import ZooCatalog

/// Name maps against what timm, Transformers and older torchvision call the tensors of whole models.
@Suite struct ForeignNameTests {
  static func digests() throws -> [String: [String: String]] {
    let data = try Data(contentsOf: URL(filePath: Fixture.path("catalog_foreign_names.json")))
    return try JSONDecoder().decode([String: [String: String]].self, from: data)
  }

  @Test(arguments: ["timm", "transformers", "torchvision-dotted"])
  func everyTensorHasTheOtherLibrarysNameAndShape(naming: String) throws {
    let catalog = try Catalog(overlays: [])
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    let digests = try #require(try Self.digests()[naming])
    for (name, digest) in digests.sorted(by: { $0.key < $1.key }) {
      let model = try catalog.model(named: name)
      let map = try #require(catalog.nameMaps.first { $0.naming == naming && $0.fits(model) }, "\(name)")
      var ours = StateDict()
      for parameter in try model.graph().parameters {
        ours[parameter.name] = try Tensor(
          dtype: .float32, shape: parameter.shape, strides: parameter.shape.map { _ in 0 },
          storage: MemoryStorage(copying: [Float(0)]))
      }
      let theirs = try map.apply(.exporting, to: ours).stateDict
      let lines = theirs.tensors.map { "\($0.key):" + $0.value.shape.map(String.init).joined(separator: "x") }
      let list = folder.file(name)
      try lines.sorted().joined(separator: "\n").write(toFile: list, atomically: false, encoding: .utf8)
      #expect(try Digest.sha256(of: MappedFile(path: list)) == digest, "\(name)")
      let back = try map.apply(.importing, to: theirs)
      let rest = ours.tensors.filter { !map.derives($0.key) }
      #expect(Set(back.stateDict.names) == Set(rest.map(\.key)), "\(name)")
      #expect(back.stateDict.tensors.allSatisfy { $0.value.shape == ours[$0.key]?.shape }, "\(name)")
    }
  }

  @Test func aMapThatIsHeldToItsLibraryIsSoForAllOfItsModels() throws {
    let digests = try Self.digests()
    let catalog = try Catalog(overlays: [])
    var held = 0
    for map in catalog.nameMaps {
      let models = Set(catalog.models.filter(map.fits).map(\.name))
      let known = models.intersection((digests[map.naming] ?? [:]).keys)
      guard !known.isEmpty else { continue }
      #expect(models == known, "\(map.file)")
      held += 1
    }
    #expect(held == 31)
  }
}
