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

  static func rows(_ file: String = "torchvision_weights.tsv") throws -> [Row] {
    let text = try String(contentsOfFile: Fixture.path(file), encoding: .utf8)
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

  @Test func everyModelIsThere() throws {
    let models = Set(try Self.rows().map(\.model))
    #expect(models.count == 80)
    #expect(models.subtracting(try Catalog(overlays: []).models.map(\.name)) == [])
  }

  @Test func everyWeightsFileHasTorchvisionsFacts() throws {
    let catalog = try Catalog(overlays: [])
    for row in try Self.rows() {
      guard let model = catalog.models.first(where: { $0.name == row.model }) else { continue }
      let weights = try #require(model.weights.first { $0.id == row.weights }, "\(row.model) \(row.weights)")
      #expect(weights.file == row.file && weights.licence != nil)
      #expect(weights.url == "https://download.pytorch.org/models/\(row.file)")
      #expect(weights.sha256Prefix ?? weights.sha256.map { String($0.prefix(8)) } == row.sha256Prefix)
      let metrics = weights.metrics?["ImageNet-1K"]
      let published = row.accuracy.first?.isNaN == true ? nil : row.accuracy
      #expect(metrics.map { [$0["acc@1"], $0["acc@5"]] } == published.map { $0.map(Optional.some) }, "\(row.file)")
    }
  }

  /// Whose cost torchvision counts with the auxiliary classifier, which runs beside the other outside training too.
  @Test func segmentationHasTorchvisionsFacts() throws {
    let catalog = try Catalog(overlays: [])
    let rows = try Self.rows("torchvision_segmentation_weights.tsv")
    #expect(rows.count == 6)
    for row in rows {
      guard let model = catalog.models.first(where: { $0.name == row.model }) else { continue }
      #expect(model.task == "image-segmentation" && model.classes == 21 && model.labels.count == 21)
      let weights = try #require(model.weights.first { $0.id == row.weights })
      #expect(weights.file == row.file && weights.sha256Prefix == row.sha256Prefix)
      #expect(weights.metrics?["COCO-val2017-VOC-labels"] == ["miou": row.accuracy[0], "pixel_acc": row.accuracy[1]])
      let graph = try model.graph()
      #expect(graph.parameterCount == row.parameters, "\(row.file): \(graph.parameterCount)")
      let side = row.side
      var cost = try graph.multiplyAdds(input: [1, 3, side, side])
      let pixels = Double((side + 7) / 8 * ((side + 7) / 8))
      for parameter in graph.parameters where parameter.name.hasPrefix("aux_classifier") && parameter.shape.count == 4 {
        cost += Double(parameter.shape.reduce(1, *)) * pixels
      }
      #expect(abs(cost / 1e9 - row.gflops) <= max(0.005 * row.gflops, 0.001), "\(row.file): \(cost / 1e9)")
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
