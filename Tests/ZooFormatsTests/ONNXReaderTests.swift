import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

/// A file made by `make_onnx.py`.
enum ONNXFixture {
  static func path(_ name: String) -> String { Fixture.path("onnx/\(name)") }

  static func open(_ name: String) throws -> WeightFile { try WeightFile.open(path: path(name + ".onnx")) }

  static func expected(_ name: String) throws -> StateDict {
    try SafetensorsReader.read(MappedFile(path: path("\(name).expected.safetensors"))).stateDict
  }

  static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path(name)))) }
}

@Suite struct ONNXReaderTests {
  private func expectSame(_ found: StateDict, _ expected: StateDict) throws {
    #expect(Set(found.names) == Set(expected.names))
    try found.expectSame(as: expected)
  }

  @Test(arguments: ["data-fields", "constants", "subgraphs", "external"])
  func tensorsAreWhatTheONNXPackageReads(_ name: String) throws {
    try expectSame(ONNXFixture.open(name).stateDict, ONNXFixture.expected(name))
  }

  @Test func dataThatIsRawStaysInTheFile() throws {
    for (name, tensor) in try ONNXFixture.open("data-fields").stateDict.tensors
    where name.contains(".raw.7x31") && !name.contains("INT4") && !name.contains("FLOAT4") {
      #expect(tensor.storage.fileRange != nil, "\(name)")
    }
  }

  @Test func everyTensorOfExternalDataIsARangeOfThatFile() throws {
    let tensors = try ONNXFixture.open("external").stateDict.tensors
    let ranges = tensors.values.compactMap(\.storage.fileRange)
    #expect(ranges.count == 4)
    #expect(Set(ranges.map { ObjectIdentifier($0.file) }).count == 1)
    #expect(ranges.allSatisfy { $0.file.path.hasSuffix("external.data") })
  }

  @Test func textIsNamedAmongWhatIsLeftOut() throws {
    #expect(try ONNXFixture.open("constants").skipped == [SkippedEntry(name: "label", reason: "holds text")])
  }

  @Test func constantsOfEveryKindHaveTheirValue() throws {
    let model = try #require(ONNXFixture.open("constants").onnx)
    func floats(_ output: String) throws -> [Float]? {
      let node = try #require(model.graph.nodes.first { $0.outputs == [output] })
      guard case .tensor(let tensor)? = node.value else { return nil }
      return try tensor.floats()
    }
    #expect(try floats("one") == [1])
    #expect(try floats("axes") == [2, 3])
    #expect(try floats("axis") == [-1])
    #expect(try floats("shape") == [1, -1])
    #expect(try floats("word") == nil)
  }

  @Test func functionsKeepTheirAttributesAndReferences() throws {
    let model = try #require(ONNXFixture.open("functions").onnx)
    let function = try #require(model.functions.first)
    #expect(function.domain == "local")
    #expect(function.attributeNames == ["slope"])
    guard case .integer(2)? = function.attributes["steep"],
      case .reference("slope")? = function.nodes[0].attributes["alpha"]
    else { throw Unexpected.opened("functions.onnx") }
    #expect(model.opsets == ["": 17, "local": 1])
  }

  @Test func sparseTensorsAreRefusedByName() throws {
    let report = try reportOfOpening(ONNXFixture.path("sparse.onnx"))
    #expect(report.place == "pruned")
    #expect(report.problem == "is a sparse tensor, which zoo doesn't read")
  }

  @Test func freeSizesKeepTheirNames() throws {
    let bytes = ONNXAssembler.model(graph: [
      .message(11, ONNXAssembler.value("x", axes: [.name("batch"), .size(3), .name("")])),
      .message(1, ONNXAssembler.node("Relu", ["x"], ["y"])),
    ])
    let input = try #require(open(bytes).onnx?.graph.inputs.first)
    #expect(input.shape == [-1, 3, -1])
    #expect(input.axes == ["batch", "", ""])
  }

  @Test func modelIsKnownWhateverItsFirstField() throws {
    let graph = ProtobufField.message(
      7, [.message(5, ONNXAssembler.tensor("w", dims: [2], raw: [1, 0, 0, 0, 2, 0, 0, 0], type: 6))])
    for fields in [
      [graph], [.number(5, 3), .number(1, 8), graph], [.text(2, "maker"), graph],
      [.message(8, [.number(2, 17)]), graph, .number(1, 8)],
    ] {
      let file = try open(ProtobufField.bytes(fields))
      #expect(file.format == .onnx)
      #expect(try file.stateDict["w"]?.floats() == [1, 2])
    }
  }
}
