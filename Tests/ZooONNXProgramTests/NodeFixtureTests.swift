import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats
@testable import ZooONNXProgram

/// The onnx package's own tests of single operators, within its own tolerances.
@Suite struct NodeFixtureTests {
  private static func nodes() throws -> ONNXModel {
    try #require(try WeightFile.open(path: Fixture.path("onnx_nodes/nodes.onnx")).onnx)
  }

  @Test func everyOperatorGivesWhatTheOnnxPackageExpects() throws {
    let model = try Self.nodes()
    var operators: Set<String> = []
    for function in model.functions {
      var inputs: [String: ONNXValue] = [:]
      for name in function.inputs {
        inputs[name] = try ONNXValue(#require(model.graph.initializers["\(function.name)/\(name)"]))
      }
      let results = try ONNXProgram(function, of: model).run(inputs)
      for name in function.outputs {
        let expected = try ONNXValue(#require(model.graph.initializers["\(function.name)/\(name)"]))
        let problem = try Self.difference(#require(results[name]), expected)
        #expect(problem == nil, "\(function.name), \(name)")
      }
      operators.formUnion(function.nodes.map(\.operatorName))
    }
    #expect(operators.count >= 170)
  }

  /// Nothing of the suite may be lost unnoticed: every operator that programs know has a test, but for those whose tests
  /// are about text, sequences or random numbers.
  @Test func everyKernelHasATest() throws {
    var tested: Set<String> = []
    func collect(_ nodes: [ONNXModel.Node]) {
      for node in nodes {
        tested.insert(node.operatorName)
        for case .graph(let graph) in node.attributes.values { collect(graph.nodes) }
      }
    }
    for function in try Self.nodes().functions { collect(function.nodes) }
    let untested = Set(OperatorTable.names).subtracting(tested)
    #expect(
      untested.isSubset(of: [
        "Bernoulli", "ConcatFromSequence", "GlobalLpPool", "Optional", "OptionalGetElement", "OptionalHasElement",
        "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "SequenceAt", "SequenceConstruct",
        "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "SequenceMap",
        "SimplifiedLayerNormalization", "SplitToSequence", "Optional",
      ]), "\(untested.sorted())")
  }

  /// What differs; nil where nothing does.
  private static func difference(_ found: ONNXValue, _ expected: ONNXValue) throws -> String? {
    guard found.dtype == expected.dtype, found.shape == expected.shape else {
      return "\(String(describing: found.dtype)) \(found.shape)"
    }
    let relative = found.dtype == .bfloat16 ? 0x1p-6 : 1e-3
    for (a, b) in zip(try found.doubles(), try expected.doubles()) where !(a == b || (a.isNaN && b.isNaN)) {
      guard found.dtype?.isFloatingPoint == true, abs(a - b) <= 1e-7 + relative * abs(b) else {
        return "\(a) is not \(b)"
      }
    }
    return nil
  }
}
