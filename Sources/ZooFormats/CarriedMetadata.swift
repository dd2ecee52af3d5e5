import Foundation
import OrderedCollections
import ZooCheckpoint

/// What an export puts beside the tensors in a format's own place for such things: the strings of a canonical
/// checkpoint, and what the format could not say of the tensors itself.
extension WeightFile {
  /// Strings that the export itself added; they are left out again.
  package static let addedKey = "zoo.added"
  /// Names in the order of the checkpoint, where the format has an order of its own.
  package static let orderKey = "zoo.order"
  /// Types that the format had to call otherwise, by tensor.
  package static let typesKey = "zoo.types"
  /// Full names by those that the format made shorter.
  package static let namesKey = "zoo.names"
  /// Strings that are not zoo's own, where the format's keys are not free.
  package static let othersKey = "zoo.others"
  private static let largest = 64 << 20

  /// Takes the strings, ties tensors again and puts them into the order they had.
  ///
  /// - Throws: `TensorError`, `FileError`.
  mutating func takeCarriedMetadata(_ strings: [String: String]) throws {
    var strings = strings
    for key in Self.list(strings.removeValue(forKey: Self.addedKey)) { strings[key] = nil }
    let order = Self.list(strings.removeValue(forKey: Self.orderKey))
    strings[Self.typesKey] = nil
    metadata.merge(strings) { $1 }
    guard strings["zoo.format"] != nil else { return }
    try stateDict.restore(CheckpointMetadata(strings))
    if Set(order) == Set(stateDict.names), order.count == stateDict.count {
      stateDict.tensors = OrderedDictionary(
        uniqueKeysWithValues: order.compactMap { name in stateDict[name].map { (name, $0) } })
    }
    setKeptAside()
  }

  /// Ties that safetensors' own `save_model` recorded: a pair of the name left out and the name kept.
  mutating func restoreTiesOfSafetensors() {
    for (name, kept) in metadata.sorted(by: { $0.key < $1.key }) where stateDict[name] == nil {
      if let tensor = stateDict[kept] { stateDict[name] = tensor }
    }
  }

  /// The strings as JSON text, which formats without a place for pairs carry.
  static func carriedStrings(_ json: UnsafeRawBufferPointer) -> [String: String]? {
    guard json.count <= largest else { return nil }
    return try? JSONDecoder().decode([String: String].self, from: Data(json))
  }

  /// The types that ``typesKey`` names.
  static func carriedTypes(_ strings: [String: String]) -> [String: DType] {
    let names = strings[typesKey].flatMap { try? JSONDecoder().decode([String: String].self, from: Data($0.utf8)) }
    return (names ?? [:]).compactMapValues(DType.init(rawValue:))
  }

  private static func list(_ text: String?) -> [String] {
    text.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) } ?? []
  }
}
