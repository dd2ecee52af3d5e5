import ZooCheckpoint

/// Keras 1 and 2: a group a layer, with the paths of its weights in an attribute.
struct KerasLayerLists {
  let contents: HDF5Contents
  let groups: [String: HDF5Index.Object]
  /// `/` of a weights file, `/model_weights` of a whole model.
  let root: String
  let file: String

  func read(into result: inout WeightFile) throws {
    guard let root = groups[root], let layers = KerasAttributes.strings("layer_names", of: root) else { return }
    let backend = root.strings("backend")?.first
    let version = root.strings("keras_version")?.first
    if let version { result.metadata["keras.version"] = version }
    if let backend { result.metadata["keras.backend"] = backend }
    var taken: Set<String> = []
    for layer in layers + ["top_level_model_weights"] {
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
        taken.insert(place)
        let name = KerasWeightName.name(weight, layer: layer)
        let upright = try KerasKernel(isKeras1: version == nil || version?.hasPrefix("1.") == true, backend: backend)
          .upright(tensor, name: name)
        guard result.stateDict.tensors.updateValue(upright, forKey: name) == nil else {
          throw HDF5Error(
            file: file, path: place, fault: .badAttribute(name: "weight_names", problem: "gives \(name) twice"))
        }
      }
    }
    for object in contents.objects where contents.tensors[object.path] != nil && !taken.contains(object.path) {
      let reason = object.path.hasPrefix("/optimizer_weights") ? "is the optimizer's" : "is no layer's weight"
      result.skipped.append(SkippedEntry(name: String(object.path.dropFirst()), reason: reason))
    }
  }

  private func join(_ first: String, _ second: String) -> String { first == "/" ? "/" + second : first + "/" + second }
}

/// Kernels that other backends stored another way round.
struct KerasKernel {
  let isKeras1: Bool
  /// `theano` convolves, all others correlate.
  let backend: String?

  /// The kernel as today's Keras would store it: (height, width, inputs, outputs), for correlation.
  ///
  /// - Throws: `TensorError`.
  func upright(_ tensor: Tensor, name: String) throws -> Tensor {
    guard name.hasSuffix(".kernel"), tensor.shape.count == 4 else { return tensor }
    var kernel = tensor
    let shape = tensor.shape
    // Keras 1 with Theano's dimension order: (outputs, inputs, height, width). Windows are square and small.
    if isKeras1, shape[2] == shape[3], shape[2] < shape[0], shape[0] != shape[1] || shape[2] < shape[1] {
      kernel = try TensorTransform.permute([2, 3, 1, 0]).apply(kernel) ?? kernel
    }
    if backend == "theano" { kernel = try TensorTransform.flip([0, 1]).apply(kernel) ?? kernel }
    return kernel
  }
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
    if let last = parts.popLast() { parts.append(String(last.prefix { $0 != ":" })) }
    if let own = parts.dropLast().lastIndex(of: layer) {
      parts.removeFirst(own + 1)
    }
    if let last = parts.popLast() { parts.append(leaf(last, owner: parts.last ?? layer)) }
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
