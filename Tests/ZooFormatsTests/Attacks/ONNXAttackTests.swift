import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

/// ONNX files that lie end in one clear error, in this process and in bounded time.
@Suite struct ONNXAttackTests {
  typealias Assembler = ONNXAssembler

  /// The report of what refuses a model whose graph has these fields.
  private func refusal(_ graph: [ProtobufField], more: [ProtobufField] = []) throws -> ErrorReport {
    try refusal(of: Assembler.model(graph: graph, more: more))
  }

  private func refusal(of bytes: [UInt8]) throws -> ErrorReport {
    do {
      let file = try open(bytes)
      for tensor in file.stateDict.tensors.values { _ = try tensor.withContiguousBytes { $0.count } }
    } catch let error as any ReportableError {
      #expect(error.report.kind == .badData, "\(error.report.line)")
      return error.report
    }
    throw Unexpected.opened("a model that lies")
  }

  // MARK: tensors

  @Test(arguments: [
    [UInt64(1) << 62, 4], [UInt64.max], [UInt64(bitPattern: -4), UInt64(bitPattern: -1)],
    [UInt64](repeating: 2, count: 65), [1 << 31, 1 << 31, 0], [1 << 40, 2],
  ])
  func shapesBeyondAnyMemoryAreRefused(_ dims: [UInt64]) throws {
    let report = try refusal([.message(5, Assembler.tensor("w", dims: dims, raw: [1, 2, 3, 4]))])
    #expect(report.place == "w")
  }

  @Test func dataOfAnotherSizeThanTheShapeIsRefused() throws {
    for (dims, count) in [([4], 12), ([4], 20), ([30], 80), ([2, 3], 25), ([], 0)] as [([UInt64], Int)] {
      let raw = [UInt8](repeating: 1, count: count)
      let report = try refusal([.message(5, Assembler.tensor("w", dims: dims, raw: raw))])
      #expect(report.problem.contains("\(count) bytes of data, but its shape needs"), "\(dims) \(count)")
    }
  }

  @Test func numbersThatAreMoreOrFewerThanElementsAreRefused() throws {
    for count in [19, 21, 200] {
      let packed = [UInt8](repeating: 1, count: count)
      for (field, type) in [(5, 6), (7, 7), (11, 13)] as [(UInt64, UInt64)] {
        let tensor = Assembler.tensor("w", dims: [20], type: type, [.data(field, packed)])
        #expect(try refusal([.message(5, tensor)]).place == "w")
      }
    }
  }

  @Test func numbersThatNeverEndAreRefused() throws {
    // Eighty bytes that all say "more follows", then one that ends: a single number of eighty bytes.
    let packed = [UInt8](repeating: 0xFF, count: 80) + [1]
    let report = try refusal([.message(5, Assembler.tensor("w", dims: [1], type: 7, [.data(7, packed)]))])
    #expect(report.problem == "its packed numbers are damaged")
  }

  @Test func dataInTwoFieldsOrInOneOfAnotherTypeIsRefused() throws {
    let four = [UInt8](repeating: 0, count: 4)
    let many = [UInt8](repeating: 0, count: 400)
    for bytes in [four, many] {
      let both = Assembler.tensor("w", dims: [UInt64(bytes.count / 4)], raw: bytes, [.data(4, bytes)])
      #expect(try refusal([.message(5, both)]).problem == "has its data in several fields at once")
      let wrong = Assembler.tensor("w", dims: [UInt64(bytes.count / 4)], type: 6, [.data(4, bytes)])
      #expect(try refusal([.message(5, wrong)]).problem.contains("float_data"))
    }
    // Twice the same field, short and long.
    let twice = Assembler.tensor("w", dims: [101], [.data(9, four), .data(9, many)])
    #expect(try refusal([.message(5, twice)]).problem == "has its data in several fields at once")
  }

  @Test(arguments: [0, 14, 15, 18, 20, 24, 27, 1000, UInt64(UInt32.max)])
  func elementsThatZooDoesNotKnowAreNamed(_ type: UInt64) throws {
    let report = try refusal([.message(5, Assembler.tensor("w", dims: [1], raw: [0, 0, 0, 0], type: type))])
    #expect(report.problem.contains("elements of type"))
    #expect(report.advice?.contains("float32") == true)
  }

  @Test func twoInitializersOfOneNameAreRefused() throws {
    let tensor = ProtobufField.message(5, Assembler.tensor("w", dims: [1], raw: [0, 0, 0, 0]))
    let report = try refusal([tensor, tensor])
    #expect(report.place == "w")
    #expect(report.problem == "stands in the file twice")
  }

  @Test func anInitializerThatReachesBeyondItsGraphIsRefused() throws {
    let lying: [ProtobufField] = [.number(1, 100), .number(2, 1), .text(8, "w"), .lying(9, length: 400, [1, 2, 3])]
    #expect(try refusal([.message(5, lying)]).problem == "is damaged: a field is longer than what holds it")
    for length in [UInt64.max, 1 << 63, 1 << 32] {
      let report = try refusal([.message(5, [.lying(9, length: length, [1])])])
      #expect(report.place?.hasPrefix("at byte") == true)
    }
  }

  // MARK: protobuf

  @Test func truncationAnywhereIsRefused() throws {
    let whole = Assembler.model(graph: [
      .message(
        1, Assembler.node("Relu", ["x"], ["y"], [.message(5, [.text(1, "alpha"), .bytes([0x15, 0, 0, 0, 0])])])),
      .message(5, Assembler.tensor("w", dims: [30], raw: [UInt8](repeating: 7, count: 120))),
      .message(11, Assembler.value("x", axes: [.size(3), .name("n")])),
      .message(12, Assembler.value("y", axes: [.size(3)])),
    ])
    #expect(try open(whole).stateDict.names == ["w"])
    // The last field is an operator set, of four bytes: without it the model is whole.
    for cut in stride(from: 4, to: whole.count, by: 3) where cut != whole.count - 4 {
      _ = try refusal(of: Array(whole[..<cut]))
    }
  }

  @Test func nestingWithoutEndIsRefused() throws {
    var graph: [ProtobufField] = [.message(1, Assembler.node("Relu", ["x"], ["y"]))]
    for _ in 0..<200 {
      let branch = ProtobufField.message(5, [.text(1, "body"), .message(6, graph), .number(20, 5)])
      graph = [.message(1, Assembler.node("Loop", ["x"], ["y"], [branch]))]
    }
    #expect(try refusal(graph).problem == "nests graphs too deep")
    // Groups nest too, and are no part of ONNX.
    #expect(try refusal(of: [0x08, 0x08, 0x12, 0x00] + [UInt8](repeating: 0x3B, count: 5000)).kind == .badData)
  }

  @Test func nodesBeyondReasonAreRefused() throws {
    // Each is two bytes in the file and an object here.
    let empty = [UInt8]([0x0A, 0x00])
    let many = [UInt8]((0..<(1 << 21)).flatMap { _ in empty })
    #expect(try refusal([.bytes(many)]).problem == "has too many nodes to be a network")
    // Few messages, but many numbers that grow on their way.
    let numbers = ProtobufField.message(5, [.text(1, "axes"), .data(8, [UInt8](repeating: 0, count: 30 << 20))])
    #expect(try refusal([.message(1, Assembler.node("X", [], ["y"], [numbers]))]).problem.contains("too many"))
  }

  @Test func wrongWireTypesAreRefused() throws {
    // The graph, a node and a tensor as numbers; dims as a string of bytes that end in a number's middle.
    for bytes: [UInt8] in [
      [0x08, 0x08, 0x12, 0x00, 0x38, 0x01], Assembler.model(graph: [.number(1, 5)]),
      Assembler.model(graph: [.number(5, 5)]), Assembler.model(graph: [.message(5, [.data(1, [0x80])])]),
      [0x08, 0x08, 0x12, 0x00, 0x3C], [0x08, 0x08, 0x12, 0x00, 0x3F],
    ] {
      _ = try refusal(of: bytes)
    }
  }

  @Test func attributesThatZooCannotReadAreNamed() throws {
    for type: UInt64 in [9, 10, 11, 13, 4, 5] {
      let attribute = ProtobufField.message(5, [.text(1, "body"), .number(20, type)])
      let report = try refusal([.message(1, Assembler.node("Loop", ["x"], ["y"], [attribute]))])
      #expect(report.place == "Loop")
      #expect(report.problem == "its attribute body has no value that zoo reads")
    }
  }

  @Test func functionsThatCallThemselvesAreOnlyRead() throws {
    let cycle = ProtobufField.message(
      25, [.text(1, "f"), .text(4, "a"), .text(5, "b"), .message(7, Assembler.node("f", ["a"], ["b"])), .text(10, "d")])
    let file = try open(
      Assembler.model(graph: [.message(1, Assembler.node("f", ["x"], ["y"]))], more: [cycle, cycle]))
    #expect(file.onnx?.functions.count == 2)
  }

  @Test func controlCharactersInNamesReachNoTerminal() throws {
    let report = try refusal([.message(5, Assembler.tensor("\u{1B}[2Jw", dims: [9], raw: [0]))])
    #expect(!report.line.contains("\u{1B}"))
  }

  // MARK: mutations

  @Test(arguments: ["constants", "subgraphs", "data-fields", "functions", "sparse"])
  func mutationsNeverCrash(_ name: String) throws {
    // Fields and lengths of protobuf among them.
    try expectNoMutationCrashes(
      ONNXFixture.bytes("\(name).onnx"), rounds: 20, seed: name, inserting: [0, 0xFF, 0x7F, 0x0A, 0x80]
    ) { $0.kind == .badData }
  }
}
