import Testing
import ZooCheckpoint

@testable import ZooFormats

@Suite struct TensorAttackTests {
  private func fault(_ edit: (inout PickleAssembler) -> Void) throws -> PyTorchError.Fault {
    var pickle = PickleAssembler()
    edit(&pickle)
    pickle.put(.stop)
    do {
      _ = try open(ZipAssembler.checkpoint(pickle.bytes).bytes())
    } catch let error as PyTorchError {
      #expect(error.report.kind == .badData)
      return error.fault
    }
    throw Unexpected.opened("tensor")
  }

  @Test func storageThatClaimsOtherBytesIsRefused() throws {
    #expect(try fault { $0.tensor(elements: 5) } == .storageSize(key: "0", claimed: 20, found: 16))
    #expect(try fault { $0.tensor(elements: 3, shape: [3]) } == .storageSize(key: "0", claimed: 12, found: 16))
    guard case .overLimit = try fault({ $0.tensor(elements: .max) }) else { throw Unexpected.opened("elements") }
  }

  @Test(arguments: [
    (0, [5], [1]), (1, [4], [1]), (0, [2, 2], [3, 1]), (0, [4], [Int.max]), (.max, [1], [1]), (-1, [1], [1]),
    (0, [4], [-1]), (0, [-4], [1]), (0, [.max, .max], [0, 0]), (0, [4], [1, 1]),
  ])
  func viewBeyondItsStorageIsRefused(_ offset: Int, shape: [Int], strides: [Int]) throws {
    guard case .outsideStorage = try fault({ $0.tensor(offset: offset, shape: shape, strides: strides) }) else {
      throw Unexpected.opened("view")
    }
  }

  @Test func repeatedElementDoesNotFillMemory() throws {
    var pickle = PickleAssembler()
    pickle.tensor(shape: [1 << 25], strides: [0])
    pickle.put(.stop)
    let file = try open(ZipAssembler.checkpoint(pickle.bytes).bytes())
    #expect(throws: TensorError.self) { try file.stateDict["tensor"]?.floats() }
    guard case .expandsTooFar = try fault({ $0.tensor(shape: [1 << 40], strides: [0]) }) else {
      throw Unexpected.opened("expansion")
    }
  }

  @Test func manyExpandedTensorsAreRefusedTogether() throws {
    // Each alone would be let through.
    let found = try fault { pickle in
      pickle.put(.emptyDict)
      for index in 0..<20 {
        pickle.string("w\(index)")
        pickle.tensor(shape: [1 << 22], strides: [0])
        pickle.put(.setItem)
      }
    }
    guard case .expandsTooFar = found else { throw Unexpected.opened("expansions") }
  }

  @Test func missingAndUnknownStoragesAreNamed() throws {
    #expect(try fault { $0.tensor(key: "7") } == .missingStorage(key: "7"))
    #expect(try fault { $0.tensor(key: "../../x") } == .missingStorage(key: "../../x"))
    #expect(try fault { $0.tensor(storage: "OddStorage") } == .unknownStorage(className: "torch.OddStorage"))
    #expect(try fault { $0.tensor(storage: "ComplexFloatStorage") } == .unsupportedTensor(kind: "complex64"))
  }
}
