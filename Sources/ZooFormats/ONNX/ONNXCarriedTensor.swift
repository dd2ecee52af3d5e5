import Foundation
import OrderedCollections
import ZooCheckpoint

/// A small tensor of a checkpoint that no node of its network reads, such as a counter of training steps: an exported
/// model has it as text among its metadata.
package struct ONNXCarriedTensor: Codable {
  package static let key = "zoo.tensors"
  private static let largest = 4096

  let dtype: String
  let shape: [Int]
  /// In base 64.
  let data: String

  /// - Parameter dtype: what floating-point tensors become; nil keeps theirs.
  /// - Throws: `TensorError`, `FileError`.
  package static func encode(_ tensors: OrderedDictionary<String, Tensor>, dtype: DType?) throws -> String? {
    guard !tensors.isEmpty else { return nil }
    var entries: [String: ONNXCarriedTensor] = [:]
    for (name, tensor) in tensors {
      var bytes: [UInt8] = []
      let written = tensor.written(as: dtype)
      if tensor.elementCount > 0 { try tensor.forEachPiece(as: written) { bytes += $0 } }
      entries[name] = ONNXCarriedTensor(
        dtype: written.rawValue, shape: tensor.shape, data: Data(bytes).base64EncodedString())
    }
    return CheckpointMetadata.encode(entries)
  }

  /// What ``encode(_:dtype:)`` wrote; nil where it is something else.
  static func decode(_ text: String) -> [String: Tensor]? {
    guard let entries = try? JSONDecoder().decode([String: ONNXCarriedTensor].self, from: Data(text.utf8)) else {
      return nil
    }
    var tensors: [String: Tensor] = [:]
    for (name, entry) in entries {
      guard let dtype = DType(rawValue: entry.dtype), entry.data.utf8.count <= largest,
        let data = Data(base64Encoded: entry.data), HDF5Reader.byteCount(entry.shape, dtype.size) == data.count,
        let tensor = try? Tensor(dtype: dtype, shape: entry.shape, storage: MemoryStorage([UInt8](data)))
      else { return nil }
      tensors[name] = tensor
    }
    return tensors
  }
}

extension WeightFile {
  /// Makes a model that zoo exported the checkpoint it was again.
  ///
  /// Another program may have folded or renamed its weights since: then only labels and preprocessing are left of it.
  /// - Throws: `TensorError`, `FileError`.
  mutating func takeExportedCheckpoint(_ metadata: [String: String]) throws {
    var metadata = metadata
    // Whatever it says, it is of other bytes.
    metadata["zoo.digest"] = nil
    let foreign = metadata.filter { !$0.key.hasPrefix("zoo.") || ["zoo.labels", "zoo.input"].contains($0.key) }
    guard metadata["zoo.format"] != nil else { return self.metadata.merge(foreign) { $1 } }
    let strings = CheckpointMetadata(metadata)
    let order =
      metadata[Self.orderKey].flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) } ?? []
    let carried = metadata[ONNXCarriedTensor.key].map(ONNXCarriedTensor.decode) ?? [:]
    let stored = order.filter { strings.aliases[$0] == nil }
    guard let carried, !order.isEmpty, stored.allSatisfy({ carried[$0] != nil || stateDict[$0] != nil }) else {
      return self.metadata.merge(foreign) { $1 }
    }
    var tensors: OrderedDictionary<String, Tensor> = [:]
    for name in stored { tensors[name] = carried[name] ?? stateDict[name] }
    stateDict.tensors = tensors
    metadata[ONNXCarriedTensor.key] = nil
    try takeCarriedMetadata(metadata)
  }
}
