import OrderedCollections
import ZooCheckpoint

/// Prefixes that DataParallel and `torch.compile` put before every name.
enum StateDictPrefix {
  static let known = ["module.", "_orig_mod."]

  /// Takes known prefixes off while every name has them.
  ///
  /// - Returns: the prefixes taken off, outermost first.
  static func strip(_ stateDict: inout StateDict) -> [String] {
    var stripped: [String] = []
    while stripped.count < 8, stateDict.count > 0,
      let prefix = known.first(where: { prefix in
        stateDict.tensors.keys.allSatisfy { $0.hasPrefix(prefix) && $0.utf8.count > prefix.utf8.count }
      })
    {
      stateDict.tensors = OrderedDictionary(
        uniqueKeysWithValues: stateDict.tensors.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
      var versions: OrderedDictionary<String, Int> = [:]
      for (module, version) in stateDict.versions where module + "." == prefix || module.hasPrefix(prefix) {
        versions[String(module.dropFirst(prefix.count))] = version
      }
      stateDict.versions = versions
      stripped.append(prefix)
    }
    return stripped
  }
}
