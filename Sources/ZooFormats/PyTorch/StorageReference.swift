import ZooCheckpoint

/// What a persistent identifier says of a storage: `('storage', class, key, location, size[, view])`.
struct StorageReference: Sendable {
  let type: StorageType
  let key: String
  /// Elements; bytes where the type is untyped.
  let elements: Int
  /// First element and length of a legacy file's view of the storage.
  let view: (offset: Int, elements: Int)?

  init(_ value: PickleValue, heap: PickleHeap) throws(PyTorchFault) {
    guard let node = heap.node(value), node.kind == .persistent, let identifier = heap.tuple(node.arguments),
      identifier.count >= 5, case .string("storage") = identifier[0]
    else { throw PyTorchFault(.malformed(what: "the storage", found: heap.describe(value), expected: "a storage")) }
    guard let className = heap.globalName(identifier[1]) else {
      throw PyTorchFault(
        .malformed(what: "the storage's type", found: heap.describe(identifier[1]), expected: "a class name"))
    }
    guard let type = StorageType(className: className) else {
      throw PyTorchFault(.unknownStorage(className: className))
    }
    guard case .string(let key) = identifier[2], case .integer(let elements) = identifier[4], elements >= 0 else {
      throw PyTorchFault(
        .malformed(what: "the storage's key or size", found: heap.describe(identifier[4]), expected: "a key and a size")
      )
    }
    self.type = type
    self.key = key
    self.elements = elements
    self.view = try identifier.count > 5 ? Self.view(identifier[5], heap: heap, elements: elements) : nil
  }

  private static func view(
    _ value: PickleValue, heap: PickleHeap, elements: Int
  ) throws(PyTorchFault) -> (offset: Int, elements: Int)? {
    if case .none = value { return nil }
    guard let parts = heap.tuple(value), parts.count == 3, case .integer(let offset) = parts[1],
      case .integer(let count) = parts[2], offset >= 0, count >= 0, offset <= elements, count <= elements - offset
    else {
      throw PyTorchFault(
        .malformed(what: "the storage's view", found: heap.describe(value), expected: "a range inside the storage"))
    }
    return (offset, count)
  }

  /// Bytes the storage must have.
  ///
  /// - Throws: where the element size is unknown or the product overflows.
  func byteCount() throws(PyTorchFault) -> Int {
    guard let size = type.elementSize else { throw PyTorchFault(.unsupportedTensor(kind: "\(type)")) }
    let (bytes, overflowed) = elements.multipliedReportingOverflow(by: size)
    guard !overflowed else { throw PyTorchFault(.overLimit(what: "bytes in a storage", limit: Int.max)) }
    return bytes
  }
}

/// A fault whose file and tensor the caller knows.
struct PyTorchFault: Error {
  let fault: PyTorchError.Fault
  init(_ fault: PyTorchError.Fault) { self.fault = fault }
}

/// Where the bytes of storages come from.
protocol StorageSource {
  /// The same object for the same key, so that shared storages stay shared.
  mutating func storage(_ reference: StorageReference) throws -> any ByteStorage
  /// Whether elements are stored big-endian.
  var isByteSwapped: Bool { get }
}
