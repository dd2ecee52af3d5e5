import OrderedCollections
import ZooCatalog
import ZooCheckpoint
import ZooFormats

/// Where Keras 3 keeps each of a network's variables: `layers/conv2d_3/vars/0`.
///
/// The place of a layer comes from the name map (`paths`), the number of a variable from the layer's class.
struct KerasLayout {
  /// Tensors in Keras's layouts by the path of their dataset.
  private(set) var variables: OrderedDictionary<String, Tensor> = [:]
  /// Names of the objects by the path of their group of variables.
  private(set) var names: OrderedDictionary<String, String> = [:]
  /// Canonical tensors that Keras has no place for and needs none for.
  private(set) var dropped: [String] = []

  /// - Parameters:
  ///   - map: the network's Keras naming, with paths.
  ///   - file: whose tensors they are, for errors.
  /// - Throws: ``KerasExportError``, `CatalogError`, `TensorError`.
  init(_ stateDict: StateDict, map: NameMap, file: String) throws {
    let renamed = try map.exported(stateDict)
    dropped = renamed.constant + renamed.unmatched.filter { $0.hasSuffix(".num_batches_tracked") }
    if let name = renamed.unmatched.first(where: { !$0.hasSuffix(".num_batches_tracked") }) {
      throw KerasExportError.noPlace(file: file, tensor: name)
    }
    var leaves: [String: Set<String>] = [:]
    let parts = renamed.stateDict.tensors.compactMap { name, tensor -> Variable? in
      guard !renamed.unmatched.contains(name) else { return nil }
      let dot = name.lastIndex(of: ".") ?? name.endIndex
      let variable = Variable(
        layer: String(name[..<dot]), leaf: String(name[dot...].dropFirst()), name: name, tensor: tensor)
      leaves[variable.layer, default: []].insert(variable.leaf)
      return variable
    }
    for variable in parts {
      guard let place = map.paths[variable.layer],
        let number = KerasLayerKind(place).number(of: variable.leaf, among: leaves[variable.layer] ?? [])
      else { throw KerasExportError.noPlace(file: file, tensor: variable.name) }
      let group = addNames(of: variable.layer, at: place, map)
      variables["\(group)/\(number)"] = variable.tensor
    }
  }

  private struct Variable {
    let layer: String
    let leaf: String
    let name: String
    let tensor: Tensor
  }

  /// The path of a layer's variables; its name, and those of the models around it, are noted.
  private mutating func addNames(of layer: String, at place: String, _ map: NameMap) -> String {
    var path = ""
    // Names of layers inside models are separated by dots, as are the models' places by slashes.
    for (part, name) in zip(place.split(separator: "/"), layer.split(separator: ".")) {
      path += (path.isEmpty ? "" : "/") + "layers/" + part
      // Keras gives the first of the layers that it counts no number.
      let isFirst = name.hasSuffix("_0") && map.ranked.contains(String(name.dropLast(2)))
      names[path + "/vars"] = isFirst ? String(name.dropLast(2)) : String(name)
    }
    return path + "/vars"
  }
}
