import ZooCheckpoint

/// Keras 3: objects nest by attribute path, and each numbers its variables: `layers/conv2d/vars/0`.
struct KerasVariables {
  let contents: HDF5Contents
  let groups: [String: HDF5Index.Object]
  /// Names of objects by path, for files written before Keras stored them.
  let names: [String: String]

  /// Whether a dataset is a numbered variable.
  static func isVariable(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    return parts.count >= 2 && parts[parts.count - 2] == "vars" && Int(parts[parts.count - 1]) != nil
  }

  func read(into result: inout WeightFile) throws {
    var counts: [String: Int] = [:]
    for path in contents.tensors.keys where Self.isVariable(path) { counts[owner(path), default: 0] += 1 }
    for object in contents.objects {
      guard let tensor = contents.tensors[object.path] else { continue }
      let first = object.path.split(separator: "/").first
      guard first != "optimizer", first != "_optimizer", Self.isVariable(object.path) else {
        let reason =
          first == "optimizer" || first == "_optimizer" ? KerasLayout.optimizers : "is no variable of a layer"
        result.skipped.append(SkippedEntry(name: String(object.path.dropFirst()), reason: reason))
        continue
      }
      let owner = owner(object.path)
      let number = Int(object.path.split(separator: "/").last ?? "") ?? 0
      let names = ownerNames(owner)
      let leaf = leaf(number, of: counts[owner] ?? 0, owner: owner, name: names.last)
      let name = (names + [leaf]).joined(separator: ".")
      // Layers may share a name; paths are never shared.
      let isFree = result.stateDict[name] == nil
      result.stateDict[isFree ? name : String(object.path.dropFirst())] = tensor
    }
  }

  /// A layer in an attribute of its model (`self.score = Conv2D(…)`) tells its class by the name that Keras made up.
  private func leaf(_ number: Int, of count: Int, owner: String, name: String?) -> String {
    KerasLayerKind(owner).variable(number, of: count) ?? name.flatMap { KerasLayerKind($0).variable(number, of: count) }
      ?? "vars.\(number)"
  }

  private func owner(_ path: String) -> String {
    path.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
  }

  /// The names of the objects from the root to the owner.
  ///
  /// A container's list (`layers`) shows in front of an object that has no name, because the object is then only counted:
  /// `layers.conv2d_1` is the second convolution of the model, whatever the user called it.
  private func ownerNames(_ owner: String) -> [String] {
    var path = ""
    var result: [String] = []
    var container: String?
    for part in owner.split(separator: "/") {
      path += "/" + part
      if part == "layers" || part == "_layer_checkpoint_dependencies", groups[path + "/vars"] == nil {
        container = "layers"
        continue
      }
      if let name = groups[path + "/vars"]?.strings("name")?.first ?? names[path] {
        result.append(name)
      } else {
        if let container { result.append(container) }
        result.append(String(part))
      }
      container = nil
    }
    if let container { result.append(container) }
    return result
  }
}
