import Testing
import ZooCheckpoint

@testable import ZooFormats
@testable import ZooONNXProgram

/// A graph written down in a test.
enum TinyModel {
  static func node(
    _ name: String, _ inputs: [String], _ outputs: [String], _ attributes: [String: ONNXModel.Attribute] = [:],
    domain: String = ""
  ) -> ONNXModel.Node {
    ONNXModel.Node(
      name: "", operatorName: name, domain: domain, inputs: inputs, outputs: outputs, attributes: attributes)
  }

  static func value(_ name: String) -> ONNXModel.Value {
    ONNXModel.Value(name: name, shape: nil, axes: [], dtype: nil)
  }

  static func graph(_ nodes: [ONNXModel.Node], inputs: [String], outputs: [String]) -> ONNXModel.Graph {
    ONNXModel.Graph(
      name: "g", nodes: nodes, initializers: StateDict(), inputs: inputs.map(value), outputs: outputs.map(value))
  }

  static func model(
    _ nodes: [ONNXModel.Node], inputs: [String] = ["x"], outputs: [String] = ["y"], opset: Int = 17,
    functions: [ONNXModel.Function] = []
  ) -> ONNXModel {
    ONNXModel(
      irVersion: 8, producer: "", opsets: ["": opset], metadata: [:], functions: functions,
      graph: graph(nodes, inputs: inputs, outputs: outputs))
  }

  static func run(_ model: ONNXModel, _ inputs: [String: ONNXValue], limits: ONNXLimits = ONNXLimits()) throws
    -> [String: ONNXValue]
  {
    try ONNXProgram(model, limits: limits).run(inputs)
  }
}

@Suite struct ProgramTests {
  @Test func shapesMayDependOnData() throws {
    let model = TinyModel.model([
      TinyModel.node("Shape", ["x"], ["s"]),
      TinyModel.node("Constant", [], ["first"], ["value_ints": .integers([0])]),
      TinyModel.node("Constant", [], ["rest"], ["value_ints": .integers([-1])]),
      TinyModel.node("Gather", ["s", "first"], ["n"]),
      TinyModel.node("Concat", ["n", "rest"], ["wanted"], ["axis": .integer(0)]),
      TinyModel.node("Reshape", ["x", "wanted"], ["y"]),
    ])
    let x = ONNXValue(shape: [2, 3, 4], (0..<24).map { Float($0) })
    let y = try #require(try TinyModel.run(model, ["x": x])["y"])
    #expect(y.shape == [2, 12])
    #expect(try y.floats() == x.floats())
  }
}
