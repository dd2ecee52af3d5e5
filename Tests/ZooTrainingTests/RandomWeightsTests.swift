import Foundation
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooGraph

@testable import ZooTraining

/// Against what torchvision's and Transformers' classes begin with.
struct RandomWeightsTests {
  private func weights(_ family: String, _ config: String) throws -> (Graph, Weights) {
    let description = NetworkDescription(
      family: family, config: try JSONDecoder().decode(JSONValue.self, from: Data(config.utf8)), classes: 3)
    let graph = try description.graph()
    return (graph, RandomWeights.make(for: graph, seed: 1))
  }

  private func deviation(_ tensor: FloatTensor?) throws -> Double {
    let values = try #require(tensor).values().map(Double.init)
    return (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
  }

  @Test func coordinatesFollowFromTheWindowAndCosinesBeginTimesTen() throws {
    let (graph, weights) = try weights(
      "swin_transformer", #"{"width": 16, "depths": [2], "heads": [2], "window": 4, "version": 2}"#)
    let tables = graph.coordinateTables
    #expect(tables.count == 2)
    for table in tables {
      let values = try #require(weights[table.name]).values()
      #expect(values == table.values)
      // log2(8 · 1 + 1) / log2(8) at the corners.
      #expect(abs(values[0] + 1.0566416) < 1e-6)
    }
    let scale = try #require(weights["features.1.0.attn.logit_scale"])
    #expect(try scale.values().allSatisfy { abs(exp($0) - 10) < 1e-5 })
  }

  @Test func layersOfConvNeXtBeginNextToNothing() throws {
    let (_, weights) = try weights("convnext", #"{"depths": [1], "widths": [8]}"#)
    #expect(try weights["features.1.0.layer_scale"]?.values() == [Float](repeating: 1e-6, count: 8))
  }

  @Test func positionsAndEmbeddingsBeginSmall() throws {
    let (_, picture) = try weights(
      "vision_transformer", #"{"patch": 4, "imageSize": 64, "layers": 1, "heads": 2, "hiddenSize": 16, "mlpSize": 16}"#)
    #expect(abs(try deviation(picture["encoder.pos_embedding"]) - 0.02) < 2e-3)
    #expect(try deviation(picture["class_token"]) == 0)
    let (_, windows) = try weights("swin_transformer", #"{"width": 64, "depths": [2], "heads": [8], "window": 7}"#)
    #expect(abs(try deviation(windows["features.1.0.attn.relative_position_bias_table"]) - 0.02) < 2e-3)
    let (_, text) = try weights(
      "gpt2", #"{"vocabulary": 100, "layers": 1, "heads": 2, "hiddenSize": 16, "mlpSize": 256}"#)
    #expect(abs(try deviation(text["wte.weight"]) - 0.02) < 2e-3)
    // [inputs, outputs]
    #expect(abs(try deviation(text["h.0.mlp.c_proj.weight"]) - 1.0 / 16) < 5e-3)
  }

  @Test func queriesOfT5BeginSmallerThanKeys() throws {
    let (_, weights) = try weights(
      "t5", #"{"vocabulary": 100, "layers": 1, "heads": 2, "headWidth": 16, "hiddenSize": 64, "mlpSize": 64}"#)
    let path = "encoder.block.0.layer.0.SelfAttention"
    #expect(abs(try deviation(weights["\(path).q.weight"]) - 1.0 / 32) < 3e-3)
    #expect(abs(try deviation(weights["\(path).k.weight"]) - 1.0 / 8) < 1e-2)
    #expect(abs(try deviation(weights["shared.weight"]) - 1) < 0.05)
    #expect(abs(try deviation(weights["\(path).relative_attention_bias.weight"]) - 1.0 / 8) < 0.03)
  }
}
