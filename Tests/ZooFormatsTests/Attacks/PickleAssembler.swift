@testable import ZooFormats

/// Writes pickles opcode by opcode, harmless or not.
struct PickleAssembler {
  var bytes: [UInt8] = [0x80, 2]

  mutating func put(_ opcode: PickleOpcode, _ arguments: [UInt8] = []) { bytes += [opcode.rawValue] + arguments }
  mutating func string(_ text: String) {
    put(.binUnicode, Self.little(UInt32(text.utf8.count)) + Array(text.utf8))
  }
  mutating func global(_ module: String, _ name: String) { put(.global, Array("\(module)\n\(name)\n".utf8)) }
  mutating func integer(_ value: Int32) { put(.binInt, Self.little(UInt32(bitPattern: value))) }
  mutating func integers(_ values: [Int]) {
    put(.mark)
    for value in values { put(.long1, [8] + Self.little(UInt64(bitPattern: Int64(value)))) }
    put(.tuple)
  }

  /// A tensor over the member `data/<key>`.
  mutating func tensor(
    key: String = "0", storage: String = "FloatStorage", elements: Int = 4, offset: Int = 0, shape: [Int] = [4],
    strides: [Int] = [1]
  ) {
    global("torch._utils", "_rebuild_tensor_v2")
    put(.mark)
    put(.mark)
    string("storage")
    global("torch", storage)
    string(key)
    string("cpu")
    put(.long1, [8] + Self.little(UInt64(bitPattern: Int64(elements))))
    put(.tuple)
    put(.binPersistentID)
    put(.long1, [8] + Self.little(UInt64(bitPattern: Int64(offset))))
    integers(shape)
    integers(strides)
    put(.newFalse)
    put(.none)
    put(.tuple)
    put(.reduce)
  }

  /// `{"w": tensor}`, then whatever `more` adds, then STOP.
  static func stateDict(_ more: (inout PickleAssembler) -> Void = { _ in }) -> [UInt8] {
    var pickle = PickleAssembler()
    pickle.put(.emptyDict)
    pickle.string("w")
    pickle.tensor()
    pickle.put(.setItem)
    more(&pickle)
    pickle.put(.stop)
    return pickle.bytes
  }

  static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
