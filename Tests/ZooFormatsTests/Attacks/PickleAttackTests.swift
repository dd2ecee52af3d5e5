import Foundation
import Testing
import ZooCheckpoint

@testable import ZooFormats

@Suite struct PickleAttackTests {
  private func fault(_ pickle: [UInt8]) throws -> PickleError.Fault {
    do {
      _ = try open(ZipAssembler.checkpoint(pickle).bytes())
    } catch let error as PickleError {
      #expect(error.report.kind == .badData)
      #expect(error.member == "data.pkl")
      return error.fault
    }
    throw Unexpected.opened("pickle")
  }

  private func read(_ pickle: [UInt8], limits: PickleLimits) throws(PickleError) {
    let result: Result<Void, PickleError> = pickle.withUnsafeBytes { bytes in
      do throws(PickleError) {
        _ = try PickleInterpreter.read(bytes, file: "x", member: nil, limits: limits)
        return .success(())
      } catch { return .failure(error) }
    }
    try result.get()
  }

  @Test func memoBombStopsAtTheLimit() throws {
    var limits = PickleLimits.standard
    limits.memo = 1000
    var pickle = PickleAssembler()
    pickle.put(.none)
    for index in 0..<2000 { pickle.put(.longBinPut, PickleAssembler.little(UInt32(index * 7919))) }
    let bytes = pickle.bytes
    #expect(
      throws: PickleError(
        file: "x", member: nil, offset: 3 + 1000 * 5, fault: .overLimit(what: "memo entries", limit: 1000))
    ) { try read(bytes, limits: limits) }
  }

  @Test func stackMarksAndOpcodesHaveLimits() throws {
    var limits = PickleLimits.standard
    limits.stack = 100
    #expect(throws: PickleError.self) {
      try read([UInt8](repeating: PickleOpcode.none.rawValue, count: 200), limits: limits)
    }
    limits = .standard
    #expect(throws: PickleError.self) {
      try read([UInt8](repeating: PickleOpcode.mark.rawValue, count: limits.marks + 1), limits: limits)
    }
    limits.opcodes = 50
    #expect(throws: PickleError.self) {
      try read([UInt8](repeating: PickleOpcode.none.rawValue, count: 200), limits: limits)
    }
  }

  @Test func bytesBehindAPickleDoNotCountAgainstIt() throws {
    var limits = PickleLimits.standard
    limits.bytes = 100
    let pickle: [UInt8] = [0x80, 2, PickleOpcode.none.rawValue, PickleOpcode.stop.rawValue]
    try read(pickle + [UInt8](repeating: 0, count: 1000), limits: limits)
    let long = [UInt8](repeating: PickleOpcode.none.rawValue, count: 1000)
    #expect(
      throws: PickleError(
        file: "x", member: nil, offset: 100, fault: .overLimit(what: "bytes of pickle", limit: 100))
    ) { try read(long, limits: limits) }
  }

  @Test func deepNestingNeitherOverflowsNorHides() throws {
    let depth = 400_000
    let pickle = PickleAssembler.stateDict { pickle in
      pickle.string("deep")
      for _ in 0..<depth { pickle.put(.emptyList) }
      for _ in 0..<(depth - 1) { pickle.put(.append) }
      pickle.put(.setItem)
    }
    let file = try open(ZipAssembler.checkpoint(pickle).bytes())
    #expect(file.stateDict.names == ["w"])
    #expect(file.skipped.map(\.name) == ["deep"])
  }

  @Test func deepNestingOfATensorIsRefused() throws {
    let depth = 100_000
    var pickle = PickleAssembler()
    for _ in 0..<depth { pickle.put(.emptyList) }
    pickle.tensor()
    for _ in 0..<depth { pickle.put(.append) }
    pickle.put(.stop)
    let bytes = ZipAssembler.checkpoint(pickle.bytes).bytes()
    #expect(throws: PyTorchError.self) { _ = try open(bytes) }
  }

  @Test func billionLaughsAreRefused() throws {
    // Each list holds the one before ten times: 10^40 names for one tensor.
    var pickle = PickleAssembler()
    pickle.tensor()
    for _ in 0..<40 {
      pickle.put(.binPut, [0])
      pickle.put(.emptyList)
      pickle.put(.mark)
      for _ in 0..<10 { pickle.put(.binGet, [0]) }
      pickle.put(.appends)
    }
    pickle.put(.stop)
    let bytes = ZipAssembler.checkpoint(pickle.bytes).bytes()
    do {
      _ = try open(bytes)
    } catch let error as PyTorchError {
      guard case .overLimit = error.fault else { throw error }
      return
    }
    throw Unexpected.opened("billion laughs")
  }

  @Test func cycleIsLeftWhereItCloses() throws {
    let pickle = PickleAssembler.stateDict { pickle in
      pickle.put(.dup)
      pickle.put(.binPut, [0])
      pickle.string("self")
      pickle.put(.binGet, [0])
      pickle.put(.setItem)
      pickle.put(.pop)
    }
    let file = try open(ZipAssembler.checkpoint(pickle).bytes())
    #expect(file.stateDict.names == ["w"])
    #expect(file.skipped == [SkippedEntry(name: "self", reason: "refers back to what holds it")])
  }

  @Test(arguments: [
    (PickleOpcode.binUnicode, [0xFF, 0xFF, 0xFF, 0x7F]), (.binBytes8, [UInt8](repeating: 0xFF, count: 8)),
    (.long4, [0xFF, 0xFF, 0xFF, 0xFF]), (.frame, [UInt8](repeating: 0x7F, count: 8)), (.shortBinUnicode, [0xFF]),
  ])
  func lengthBeyondTheFileIsRefusedBeforeAllocation(_ opcode: PickleOpcode, length: [UInt8]) throws {
    guard case .truncated = try fault([0x80, 2, opcode.rawValue] + length) else { throw Unexpected.opened("length") }
  }

  @Test(arguments: [PickleOpcode.ext1, .ext2, .ext4, .nextBuffer, .readOnlyBuffer])
  func referencesOutsideTheFileAreRefused(_ opcode: PickleOpcode) throws {
    #expect(try fault([0x80, 5, opcode.rawValue, 1, 1, 1, 1]) == .outsideReference(opcode: "\(opcode)"))
  }

  @Test func itemsOfSomethingElseThanADictionaryAreRefused() throws {
    let pickle: [UInt8] = [0x80, 2] + [PickleOpcode.emptyList, .none, .none, .setItem, .stop].map(\.rawValue)
    #expect(try fault(pickle) == .wrongType(opcode: "setItem", found: "a list", expected: "a dictionary"))
    let build: [UInt8] = [0x80, 2] + [PickleOpcode.emptyList, .emptyDict, .build, .stop].map(\.rawValue)
    #expect(try fault(build) == .wrongType(opcode: "build", found: "a list", expected: "an object"))
    let call: [UInt8] = [0x80, 2] + [PickleOpcode.none, .emptyTuple, .reduce, .stop].map(\.rawValue)
    #expect(try fault(call) == .wrongType(opcode: "reduce", found: "None", expected: "a class or function"))
    let object: [UInt8] = [0x80, 2] + [PickleOpcode.mark, .none, .obj, .stop].map(\.rawValue)
    #expect(try fault(object) == .wrongType(opcode: "obj", found: "None", expected: "a class or function"))
  }

  @Test func secondPickleBehindTheFirstIsRefused() throws {
    let pickle = PickleAssembler.stateDict()
    #expect(try fault(pickle + pickle) == .trailingBytes(count: pickle.count))
  }

  @Test func bytesBehindALegacyFileAreRefused() throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: PyTorchFixture.path("legacy-p2.pth"))))
    let second = PickleAssembler.stateDict()
    do {
      _ = try open(bytes + second)
      throw Unexpected.opened("legacy")
    } catch let error as PyTorchError {
      #expect(error.fault == .trailingBytes(count: second.count))
      #expect(error.place == "at byte \(bytes.count)")
    }
    #expect(try open(bytes + second, salvage: true).stateDict.count == open(bytes).stateDict.count)
  }

  @Test func unhashableKeyIsTolerated() throws {
    let pickle = PickleAssembler.stateDict { pickle in
      pickle.put(.emptyList)
      pickle.put(.none)
      pickle.put(.setItem)
    }
    #expect(try open(ZipAssembler.checkpoint(pickle).bytes()).stateDict.names == ["w"])
  }

  @Test func unknownOpcodeAndMissingMemoAreNamed() throws {
    #expect(try fault([0x80, 2, 0xFE]) == .unknownOpcode(0xFE))
    #expect(try fault([0x80, 2, PickleOpcode.binGet.rawValue, 9]) == .missingMemo(index: 9))
    #expect(try fault([0x80, 9]) == .unsupportedProtocol(9))
    #expect(try fault([0x80, 2, PickleOpcode.stop.rawValue]) == .stackUnderflow(opcode: "stop"))
    #expect(
      try fault([0x80, 2] + [PickleOpcode.mark, .obj, .stop].map(\.rawValue)) == .stackUnderflow(opcode: "obj"))
    guard case .truncated = try fault([0x80, 2, PickleOpcode.mark.rawValue] + Array("ios\nsystem".utf8)) else {
      throw Unexpected.opened("a name without an end")
    }
  }
}
