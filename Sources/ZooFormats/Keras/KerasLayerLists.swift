import ZooCheckpoint

/// Keras 1 and 2: a group a layer, with the paths of its weights in an attribute.
struct KerasLayerLists {
  let contents: HDF5Contents
  let groups: [String: HDF5Index.Object]
  /// `/` of a weights file, `/model_weights` of a whole model.
  let root: String
  let file: String

  /// A weight as the lists name it.
  private struct Listed {
    let layer: String
    let weight: String
    let path: String
    let tensor: Tensor
  }

  /// - Throws: ``HDF5Error``, `TensorError`.
  func read(into result: inout WeightFile) throws {
    guard let root = groups[root] else { return }
    let backend = root.strings("backend")?.first
    let version = root.strings("keras_version")?.first
    if let version { result.metadata["keras.version"] = version }
    if let backend { result.metadata["keras.backend"] = backend }
    let listed = try listed(root)
    let names = Self.names(listed)
    let kernels = KerasKernels(
      zip(names, listed).map { ($0, $1.tensor) }, isKeras1: version == nil || version?.hasPrefix("1.") == true,
      backend: backend,
      flattensByChannel: KerasConfiguration(groups["/"]?.strings("model_config")?.first).flattensByChannel)
    for (name, weight) in zip(names, listed) {
      let upright = try kernels.upright(weight.tensor, name: name)
      guard result.stateDict.tensors.updateValue(upright, forKey: name) == nil else {
        throw HDF5Error(
          file: file, path: weight.path, fault: .badAttribute(name: "weight_names", problem: "gives \(name) twice"))
      }
    }
    let taken = Set(listed.map(\.path))
    for object in contents.objects where contents.tensors[object.path] != nil && !taken.contains(object.path) {
      let reason = object.path.hasPrefix("/optimizer_weights") ? KerasLayout.optimizers : "is no layer's weight"
      result.skipped.append(SkippedEntry(name: String(object.path.dropFirst()), reason: reason))
    }
  }

  private func listed(_ root: HDF5Index.Object) throws -> [Listed] {
    var listed: [Listed] = []
    for layer in (KerasAttributes.strings("layer_names", of: root) ?? []) + ["top_level_model_weights"] {
      let path = join(root.path, layer)
      guard let group = groups[path] else {
        if layer == "top_level_model_weights" { continue }
        throw HDF5Error(
          file: file, path: path, fault: .badAttribute(name: "layer_names", problem: "names it, but it is missing"))
      }
      for weight in KerasAttributes.strings("weight_names", of: group) ?? [] {
        let place = join(path, weight)
        guard let tensor = contents.tensors[place] else {
          throw HDF5Error(
            file: file, path: place, fault: .badAttribute(name: "weight_names", problem: "names it, but it is missing"))
        }
        listed.append(Listed(layer: layer, weight: weight, path: place, tensor: tensor))
      }
    }
    return listed
  }

  /// Names in one spelling; where that would give two weights one name, later ones keep the file's own.
  private static func names(_ listed: [Listed]) -> [String] {
    var taken: Set<String> = []
    return listed.map { weight in
      let name = KerasWeightName.name(weight.weight, layer: weight.layer)
      return taken.insert(name).inserted ? name : weight.layer + "." + weight.weight
    }
  }

  private func join(_ first: String, _ second: String) -> String { first == "/" ? "/" + second : first + "/" + second }
}

/// Names of Keras weights in one spelling.
enum KerasWeightName {
  /// Keras 1's names for what Keras 2 calls otherwise; its running_std is a variance.
  private static let old = [
    "W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance",
  ]

  /// `block1_conv1.kernel` for `block1_conv1/kernel:0`, `block1_conv1_W_1:0` and `scope/block1_conv1/kernel:0`.
  static func name(_ weight: String, layer: String) -> String {
    var parts = weight.split(separator: "/").map(String.init)
    guard let last = parts.popLast() else { return layer + "." + weight }
    let own = layer.split(separator: "/").map(String.init)
    if let start = parts.indices.last(where: { parts[$0...].starts(with: own) }), !own.isEmpty {
      parts.removeFirst(start + own.count)
    }
    parts.append(leaf(String(last.prefix { $0 != ":" }), owner: parts.last ?? own.last ?? layer))
    return ([layer] + parts).joined(separator: ".")
  }

  private static func leaf(_ text: String, owner: String) -> String {
    // ConvNeXt's layer scale never named its only variable.
    if owner.hasSuffix("layer_scale"), text.lowercased().hasPrefix("variable") { return "gamma" }
    guard text.hasPrefix(owner + "_") else { return old[text] ?? text }
    var rest = text.dropFirst(owner.count + 1)
    if let underscore = rest.lastIndex(of: "_"), Int(rest[rest.index(after: underscore)...]) != nil {
      rest = rest[..<underscore]
    }
    return old[String(rest)] ?? String(rest)
  }
}
