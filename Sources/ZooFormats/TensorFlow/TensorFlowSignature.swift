import ZooCheckpoint

/// Recognises TensorFlow's files, none of which begins with a signature.
enum TensorFlowSignature {
  /// The format; nil for a file that is none of them.
  ///
  /// A checkpoint's index ends with its table's signature. A SavedModel is a version and then a message, where ONNX has
  /// its producer's name. A frozen graph is nodes, messages that begin with a name.
  /// - Throws: `FileError`.
  static func format(_ head: [UInt8], file: MappedFile) throws -> WeightFormat? {
    if file.count >= 48 {
      let end = try file.withBytes(offset: file.count - 8, count: 8) {
        UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
      }
      if end == SortedTable.magic { return .tensorFlowCheckpoint }
    }
    if head.starts(with: [0x08, 0x01, 0x12]), beginsMessage(head, at: 3) { return .tensorFlowSavedModel }
    if head.first == 0x0A, beginsMessage(head, at: 1) { return .tensorFlowGraph }
    return nil
  }

  /// Whether a length of one to five bytes and a message whose first field is number 1 stand there.
  private static func beginsMessage(_ head: [UInt8], at place: Int) -> Bool {
    let length = head.dropFirst(place).prefix(5)
    guard let end = length.firstIndex(where: { $0 < 0x80 }) else { return false }
    return end + 1 < head.count && head[end + 1] == 0x0A
  }
}
