/// Writes the opcodes of pickle protocol 2 that PyTorch's restricted loader takes (Python's Lib/pickletools.py).
struct PickleWriter {
  private(set) var bytes: [UInt8] = [0x80, 2]

  /// A class or function by its names; nothing is called here.
  mutating func global(_ module: String, _ name: String) {
    bytes += [UInt8(ascii: "c")] + Array("\(module)\n\(name)\n".utf8)
  }

  mutating func string(_ text: String) {
    let text = Array(text.utf8)
    bytes.append(UInt8(ascii: "X"))
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: text.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes += text
  }

  mutating func integer(_ value: Int) {
    if let small = Int32(exactly: value) {
      bytes.append(UInt8(ascii: "J"))
      withUnsafeBytes(of: small.littleEndian) { bytes.append(contentsOf: $0) }
    } else {
      bytes += [0x8A, 8]
      withUnsafeBytes(of: Int64(value).littleEndian) { bytes.append(contentsOf: $0) }
    }
  }

  mutating func boolean(_ value: Bool) { bytes.append(value ? 0x88 : 0x89) }
  mutating func mark() { bytes.append(UInt8(ascii: "(")) }
  mutating func emptyDictionary() { bytes.append(UInt8(ascii: "}")) }
  mutating func emptyTuple() { bytes.append(UInt8(ascii: ")")) }
  /// Of what stands above the last mark.
  mutating func tuple() { bytes.append(UInt8(ascii: "t")) }
  mutating func setItems() { bytes.append(UInt8(ascii: "u")) }
  mutating func reduce() { bytes.append(UInt8(ascii: "R")) }
  mutating func newObject() { bytes.append(0x81) }
  mutating func build() { bytes.append(UInt8(ascii: "b")) }
  mutating func persistentID() { bytes.append(UInt8(ascii: "Q")) }
  mutating func stop() { bytes.append(UInt8(ascii: ".")) }

  mutating func integers(_ values: [Int]) {
    mark()
    for value in values { integer(value) }
    tuple()
  }

  mutating func orderedDictionary() {
    global("collections", "OrderedDict")
    emptyTuple()
    reduce()
  }
}
