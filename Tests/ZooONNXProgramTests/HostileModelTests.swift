import Testing
import ZooCheckpoint

@testable import ZooFormats
@testable import ZooONNXProgram

/// Models made to take all memory, to run for ever, or to crash the program that runs them.
@Suite struct HostileModelTests {
  private let small = ONNXLimits(memory: 1 << 20, steps: 10_000, nodes: 5_000, depth: 16)

  private func fault(_ model: ONNXModel, _ inputs: [String: ONNXValue] = [:]) -> ONNXProgramError.Fault? {
    do {
      _ = try TinyModel.run(model, inputs, limits: small)
      return nil
    } catch let error as ONNXProgramError {
      return error.fault
    } catch {
      return nil
    }
  }

  private func integers(_ numbers: [Int64]) -> ONNXValue { ONNXValue(shape: [numbers.count], numbers) }

  @Test(arguments: [
    ("ConstantOfShape", [Int64(1) << 40, 1 << 40]), ("ConstantOfShape", [.max]), ("ConstantOfShape", [-5]),
    ("ConstantOfShape", [1 << 62, 0]), ("ConstantOfShape", [2000, 2000]),
  ])
  func aShapeBombIsRefused(name: String, shape: [Int64]) {
    let model = TinyModel.model([TinyModel.node(name, ["x"], ["y"])])
    #expect(fault(model, ["x": integers(shape)]) != nil)
  }

  @Test(arguments: ["Tile", "Expand", "Resize", "Pad", "Upsample", "CenterCropPad"])
  func aValueThatGrowsWithoutBoundIsRefused(name: String) {
    let x = ONNXValue(shape: [1, 1, 2, 2], [Float](repeating: 1, count: 4))
    for large in [Int64(1) << 20, 1 << 33, 1 << 61, .max] {
      let numbers = integers([large, large, large, large])
      let scales = ONNXValue(shape: [4], [Float](repeating: Float(large), count: 4))
      let (model, inputs): (ONNXModel, [String: ONNXValue]) =
        switch name {
        case "Resize": (TinyModel.model([TinyModel.node(name, ["x", "", "n"], ["y"])]), ["x": x, "n": scales])
        case "Upsample": (TinyModel.model([TinyModel.node(name, ["x", "n"], ["y"])], opset: 9), ["x": x, "n": scales])
        case "Pad":
          (
            TinyModel.model([TinyModel.node(name, ["x", "n"], ["y"])]),
            ["x": x, "n": integers([Int64](repeating: large, count: 8))]
          )
        default: (TinyModel.model([TinyModel.node(name, ["x", "n"], ["y"])]), ["x": x, "n": numbers])
        }
      var all = model
      all = ONNXModel(
        irVersion: 8, producer: "", opsets: model.opsets, metadata: [:], functions: [],
        graph: TinyModel.graph(model.graph.nodes, inputs: ["x", "n"], outputs: ["y"]))
      #expect(fault(all, inputs) != nil, "\(name) by \(large)")
    }
  }

  @Test(arguments: [0.0, .nan, .infinity, 1e-300])
  func aRangeWithoutAnEndIsRefused(step: Double) {
    let nodes = [TinyModel.node("Range", ["a", "b", "c"], ["y"])]
    let model = ONNXModel(
      irVersion: 8, producer: "", opsets: ["": 17], metadata: [:], functions: [],
      graph: TinyModel.graph(nodes, inputs: ["a", "b", "c"], outputs: ["y"]))
    let inputs = ["a": ONNXValue(scalar: 0.0), "b": ONNXValue(scalar: 1e9), "c": ONNXValue(scalar: step)]
    if step == .infinity { #expect(fault(model, inputs) == nil) } else { #expect(fault(model, inputs) != nil) }
  }

  @Test func aLoopWithoutAnEndStops() {
    let body = TinyModel.graph(
      [TinyModel.node("Identity", ["c"], ["d"])], inputs: ["i", "c"], outputs: ["d"])
    let model = TinyModel.model([
      TinyModel.node("Loop", ["", "x"], ["y"], ["body": .graph(body)])
    ])
    let nothing = TinyModel.model(
      [TinyModel.node("Loop", ["", "x"], [], ["body": .graph(body)]), TinyModel.node("Identity", ["x"], ["y"])])
    #expect(fault(nothing, ["x": ONNXValue(scalar: true)]) == .tooManySteps(limit: 10_000))
    #expect(fault(model, ["x": ONNXValue(scalar: true)]) != nil)
  }

  @Test func valuesThatNothingMakesAndCyclesAreRefused() {
    #expect(fault(TinyModel.model([TinyModel.node("Relu", ["z"], ["y"])])) == .missingValue("z"))
    let cycle = [TinyModel.node("Relu", ["b"], ["a"]), TinyModel.node("Relu", ["a"], ["b"])]
    #expect(fault(TinyModel.model(cycle, outputs: ["b"])) == .usedBeforeMade("b"))
    let twice = [TinyModel.node("Relu", ["x"], ["y"]), TinyModel.node("Abs", ["x"], ["y"])]
    #expect(fault(TinyModel.model(twice)) == .madeTwice("y"))
    #expect(fault(TinyModel.model([], outputs: ["q"])) == .missingValue("q"))
  }

  @Test func allUnknownOperatorsAreNamedAtOnce() {
    let body = TinyModel.graph([TinyModel.node("Inner", ["x"], ["z"])], inputs: [], outputs: ["z"])
    let model = TinyModel.model([
      TinyModel.node("Relu", ["x"], ["a"]), TinyModel.node("Bogus", ["a"], ["b"], domain: "com.example"),
      TinyModel.node("If", ["c"], ["y"], ["then_branch": .graph(body), "else_branch": .graph(body)]),
    ])
    #expect(
      fault(model)
        == .unsupported([
          .init(domain: "", name: "Inner", opset: 17), .init(domain: "com.example", name: "Bogus", opset: 0),
        ]))
  }

  private func function(_ name: String, _ nodes: [ONNXModel.Node]) -> ONNXModel.Function {
    ONNXModel.Function(
      name: name, domain: "f", inputs: ["a"], outputs: ["b"], attributeNames: [], attributes: [:], nodes: nodes,
      opsets: ["": 17, "f": 1])
  }

  @Test func functionsThatCallThemselvesAreRefused() {
    let model = TinyModel.model(
      [TinyModel.node("F", ["x"], ["y"], domain: "f")],
      functions: [function("F", [TinyModel.node("F", ["a"], ["b"], domain: "f")])])
    #expect(fault(model) == .nestedTooDeep(limit: 16))
  }

  @Test func functionsThatDoubleAtEveryLevelAreRefused() {
    var functions = [function("F0", [TinyModel.node("Relu", ["a"], ["b"])])]
    for level in 1..<15 {
      functions.append(
        function(
          "F\(level)",
          [
            TinyModel.node("F\(level - 1)", ["a"], ["c"], domain: "f"),
            TinyModel.node("F\(level - 1)", ["c"], ["b"], domain: "f"),
          ]))
    }
    let model = TinyModel.model([TinyModel.node("F14", ["x"], ["y"], domain: "f")], functions: functions)
    #expect(fault(model) == .tooManyNodes(limit: 5_000))
  }

  @Test(arguments: [Int64.min, -1, 3, .max])
  func indicesOutsideAreRefused(index: Int64) {
    let x = ONNXValue(shape: [3], [Float](repeating: 0, count: 3))
    let model = ONNXModel(
      irVersion: 8, producer: "", opsets: ["": 17], metadata: [:], functions: [],
      graph: TinyModel.graph([TinyModel.node("Gather", ["x", "i"], ["y"])], inputs: ["x", "i"], outputs: ["y"]))
    let found = fault(model, ["x": x, "i": integers([index])])
    if index == -1 { #expect(found == nil) } else { #expect(found != nil) }
  }

  /// Numbers that no integer can hold become the nearest, and divisions by zero are errors: neither ends the process.
  @Test func numbersBeyondIntegersEndNothing() throws {
    let x = ONNXValue(shape: [5], [Float.nan, .infinity, -.infinity, 1e30, -1e30])
    for number in [2, 3, 4, 5, 6, 7, 12, 13] as [Int64] {
      let model = TinyModel.model([TinyModel.node("Cast", ["x"], ["y"], ["to": .integer(number)])])
      #expect(try TinyModel.run(model, ["x": x])["y"]?.shape == [5])
    }
    let division = ONNXModel(
      irVersion: 8, producer: "", opsets: ["": 17], metadata: [:], functions: [],
      graph: TinyModel.graph([TinyModel.node("Div", ["x", "n"], ["y"])], inputs: ["x", "n"], outputs: ["y"]))
    #expect(fault(division, ["x": integers([1]), "n": integers([0])]) == .divisionByZero)
    #expect(fault(division, ["x": integers([.min]), "n": integers([-1])]) == nil)
  }

  @Test func windowsOfAnySizeAreRefusedOrRun() {
    let x = ONNXValue(shape: [1, 1, 4, 4], [Float](repeating: 1, count: 16))
    for number in [Int64(-1), 0, 1 << 19, 1 << 40, .max, .min] {
      for name in ["MaxPool", "AveragePool", "LpPool"] {
        for attribute in ["kernel_shape", "strides", "dilations", "pads"] {
          var attributes: [String: ONNXModel.Attribute] = ["kernel_shape": .integers([2, 2])]
          attributes[attribute] = .integers([Int64](repeating: number, count: attribute == "pads" ? 4 : 2))
          // Whatever comes of it, it comes back.
          _ = fault(TinyModel.model([TinyModel.node(name, ["x"], ["y"], attributes)]), ["x": x])
        }
      }
    }
  }
}
