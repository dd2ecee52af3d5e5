import Foundation
import TestSupport
import Testing

@testable import ZooCatalog

@Suite struct ModelReferenceTests {
  @Test func defaultWeightsAreTorchvisions() throws {
    let data = try Data(contentsOf: URL(filePath: Fixture.path("store/torchvision_defaults.json")))
    let defaults = try JSONDecoder().decode([String: String].self, from: data)
    var compared = 0
    for model in try Catalog(overlays: []).models where model.naming == "torchvision" {
      guard let expected = defaults[model.name] else { continue }
      #expect(model.defaultWeights?.id == expected, "\(model.name)")
      compared += 1
    }
    #expect(compared > 20)
  }

  @Test func referenceIsAModelAndItsWeights() {
    #expect(ModelReference("resnet50") == ModelReference(model: "resnet50", weights: nil))
    #expect(ModelReference("resnet50:A:B") == ModelReference(model: "resnet50", weights: "A:B"))
    #expect(ModelReference("a:").weights == "")
    #expect(ModelReference("resnet50:V1").description == "resnet50:V1")
  }

  @Test func weightsAreFoundByTheirIdAndOthersNamed() throws {
    let model = try Catalog(overlays: []).model(named: "resnet50")
    #expect(try model.weights(named: "IMAGENET1K_V1").file == "resnet50-0676ba61.pth")
    #expect(try model.weights(named: nil).id == "IMAGENET1K_V2")
    #expect(throws: CatalogError.unknownWeights(model: "resnet50", id: "", known: ["IMAGENET1K_V1", "IMAGENET1K_V2"])) {
      try model.weights(named: "")
    }
  }
}
