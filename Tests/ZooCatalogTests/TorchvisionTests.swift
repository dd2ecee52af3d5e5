import Foundation
import TestSupport
import Testing
import ZooGraph

@testable import ZooCatalog

/// The catalogue against torchvision's own list of its classification weights.
@Suite struct TorchvisionTests {
  struct Row {
    let model: String
    let weights: String
    let file: String
    let sha256Prefix: String
    let parameters: Int
    let gflops: Double
    /// NaN where the weights have no head.
    let accuracy: [Double]
    let side: Int
  }

  /// Beginnings of the names of models that the catalogue lacks.
  static let lacking = [
    "densenet",
    "efficientnet_b",
    "efficientnet_v2",
    "googlenet",
    "maxvit",
    "mnasnet",
    "mobilenet",
    "regnet",
    "shufflenet",
    "squeezenet",
    "swin",
    "vit",
  ]

  static func rows() throws -> [Row] {
    let text = try String(contentsOfFile: Fixture.path("torchvision_weights.tsv"), encoding: .utf8)
    return try text.split(separator: "\n").dropFirst().map { line in
      let fields = line.split(separator: "\t").map(String.init)
      try #require(fields.count == 9)
      return Row(
        model: fields[0], weights: fields[1], file: fields[2], sha256Prefix: fields[3],
        parameters: try #require(Int(fields[4])), gflops: try #require(Double(fields[5])),
        accuracy: [try #require(Double(fields[6])), try #require(Double(fields[7]))], side: try #require(Int(fields[8]))
      )
    }
  }

  @Test func everyModelIsThereOrKnownToBeLacking() throws {
    let catalog = try Catalog(overlays: [])
    let names = Set(catalog.models.map(\.name))
    let models = Set(try Self.rows().map(\.model))
    #expect(models.count == 80)
    let missing = models.subtracting(names)
    #expect(missing.filter { name in !Self.lacking.contains { name.hasPrefix($0) } } == [])
    #expect(Self.lacking.filter { start in !missing.contains { $0.hasPrefix(start) } } == [])
  }

  @Test func everyWeightsFileHasTorchvisionsFacts() throws {
    let catalog = try Catalog(overlays: [])
    for row in try Self.rows() {
      guard let model = catalog.models.first(where: { $0.name == row.model }) else { continue }
      let weights = try #require(model.weights.first { $0.id == row.weights }, "\(row.model) \(row.weights)")
      #expect(weights.file == row.file)
      #expect(weights.url == "https://download.pytorch.org/models/\(row.file)")
      #expect(weights.sha256Prefix ?? weights.sha256.map { String($0.prefix(8)) } == row.sha256Prefix)
      let metrics = weights.metrics?["ImageNet-1K"]
      let published = row.accuracy.first?.isNaN == true ? nil : row.accuracy
      #expect(metrics.map { [$0["acc@1"], $0["acc@5"]] } == published.map { $0.map(Optional.some) }, "\(row.file)")
    }
  }

  @Test func networksHaveThePublishedParametersAndCost() throws {
    let catalog = try Catalog(overlays: [])
    for row in try Self.rows() {
      guard let model = catalog.models.first(where: { $0.name == row.model }) else { continue }
      let graphs = try model.configs.map {
        try NetworkDescription(family: model.family, config: $0, classes: model.classes).graph()
      }
      let fitting = try #require(graphs.first { $0.parameterCount == row.parameters }, "\(row.file)")
      let cost = try fitting.multiplyAdds(input: [1, 3, row.side, row.side]) / 1e9
      #expect(abs(cost - row.gflops) <= max(0.005 * row.gflops, 0.001), "\(row.file): \(cost)")
    }
  }
}
