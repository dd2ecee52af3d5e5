import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooFormats
import ZooONNX
import ZooVision

@testable import ZooInference
@testable import ZooONNXProgram

/// Networks of `make_onnx_opsets.py`, which each operator set writes otherwise, beside ONNX Runtime.
@Suite struct ONNXOperatorSetTests {
  private let expected: StateDict

  init() throws {
    expected = try SafetensorsReader.read(MappedFile(path: Fixture.path("onnx/opsets.expected.safetensors"))).stateDict
  }

  private func model(_ name: String) throws -> ONNXModel {
    try #require(WeightFile.open(path: Fixture.path("onnx/\(name).onnx")).onnx)
  }

  /// What an output is in an operator set: the newest recorded up to it.
  private func expected(_ output: String, opset: Int) throws -> ONNXValue {
    let newest = (7...opset).reversed().lazy.compactMap { expected["\(output)@\($0)"] }.first
    return try ONNXValue(#require(newest, "\(output)"))
  }

  private func difference(_ found: ONNXValue, _ expected: ONNXValue) throws -> Double {
    guard found.dtype == expected.dtype, found.shape == expected.shape else { return .infinity }
    return zip(try found.doubles(), try expected.doubles()).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  @Test(arguments: 7...22)
  func theClassifierIsOneNetworkInEveryOperatorSet(_ opset: Int) throws {
    let model = try model("opset-\(opset)")
    #expect(model.opsets == ["": opset])
    let wanted = try expected("opset/y", opset: opset)
    let x = try FloatTensor(#require(expected["opset/x"]))
    let network = try #require(NativeNetwork(model))
    #expect(network.endsInSoftmax)
    let plan = try compile(network.graph, weights: network.stateDict.floatWeights(), inputShape: x.shape)
    #expect(try difference(ONNXValue(plan.run(x)[0]), wanted) < 1e-5)
    let found = try #require(try ONNXProgram(model).run(["x": ONNXValue(x)])["y"])
    #expect(try difference(found, wanted) < 1e-5)
  }

  @Test(arguments: 7...22)
  func operatorsMeanWhatTheirOperatorSetSays(_ opset: Int) throws {
    let model = try model("forms-\(opset)")
    let results = try ONNXProgram(model).run(["x": ONNXValue(#require(expected["forms/x"]))])
    #expect(results.count == model.graph.outputs.count)
    for output in model.graph.outputs {
      let found = try #require(results[output.name])
      #expect(try difference(found, expected("forms/\(output.name)", opset: opset)) < 1e-5, "\(output.name)")
    }
  }

  @Test func channelsAtTheEndAreWhatTensorFlowsConverterLeaves() throws {
    let model = try model("tf2onnx")
    let x = try ONNXValue(#require(expected["tf2onnx/x"]))
    let found = try #require(try ONNXProgram(model).run(["x": x])["y"])
    let wanted = try ONNXValue(#require(expected["tf2onnx/y"]))
    #expect(try difference(found, wanted) < 1e-5)
    let input = try ONNXPictureInput(model, file: "tf2onnx")
    #expect(input.isChannelsLast)
    #expect(input.preprocessing.size == [13, 12])
    let first = Prediction(
      logits: try ONNXEngine(model, input: input, file: "", threads: 1).scores(x.floatTensor()), labels: [])
    for (a, b) in zip(first.probabilities, try wanted.doubles()) { #expect(abs(a - b) < 1e-5) }
    #expect(first.probabilities.count == 5)
  }

  @Test func aPictureIsTurnedForANetworkThatTakesItsChannelsLast() throws {
    let input = try ONNXPictureInput(model("tf2onnx"), file: "tf2onnx")
    let picture = Picture(width: 12, height: 13, pixels: (0..<468).map { UInt8($0 % 251) })
    let planes = try input.preprocessing.apply(picture).values()
    let tensor = try input.tensor(picture)
    #expect(tensor.shape == [2, 13, 12, 3])
    let values = try tensor.values()
    for batch in 0..<2 {
      for place in 0..<468 { #expect(values[batch * 468 + place] == planes[place % 3 * 156 + place / 3]) }
    }
  }
}
