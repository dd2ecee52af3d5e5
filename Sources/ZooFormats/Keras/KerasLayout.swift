import ZooCheckpoint

/// Recognises how Keras lays weights out in HDF5 and names them `layer.kernel`, whichever version wrote them.
///
/// Keras 1 and 2 list layers and weights in attributes (`layer_names`, `weight_names`); Keras 3 numbers the variables of
/// each object (`layers/conv2d/vars/0`). Anything else keeps its paths as names.
enum KerasLayout {
  /// Attributes of the root that an export leaves; the names of the tensors are Keras's, so what else a canonical
  /// checkpoint says of itself is found anew.
  private static let carried = ["zoo.labels", "zoo.input", "zoo.source", "zoo.training"]

  /// Why an optimizer's tensor is no part of the state dict.
  static let optimizers = "is the optimizer's"

  /// - Parameter names: of Keras 3 objects by their path, for files that don't name them.
  /// - Throws: ``HDF5Error``, `TensorError`.
  static func weightFile(
    _ contents: HDF5Contents, file: MappedFile, format: WeightFormat, names: [String: String] = [:]
  ) throws -> WeightFile {
    var result = WeightFile(path: file.path, format: format, stateDict: StateDict())
    result.skipped = contents.skipped
    let groups = Dictionary(contents.objects.map { ($0.path, $0) }) { first, _ in first }
    if let root = ["/model_weights", "/"].first(where: { groups[$0].map(KerasAttributes.listsLayers) ?? false }) {
      let reader = KerasLayerLists(contents: contents, groups: groups, root: root, file: file.path)
      try reader.read(into: &result)
    } else if contents.tensors.keys.contains(where: KerasVariables.isVariable) {
      try KerasVariables(contents: contents, groups: groups, names: names).read(into: &result)
    } else {
      for object in contents.objects {
        guard let tensor = contents.tensors[object.path] else { continue }
        result.stateDict[String(object.path.dropFirst())] = tensor
      }
    }
    for key in carried { result.metadata[key] = groups["/"]?.strings(key)?.first }
    result.setOptimizerAside(contents.tensors, reason: KerasLayout.optimizers)
    guard result.stateDict.count > 0 else { throw HDF5Error(file: file.path, path: "/", fault: .noTensors) }
    return result
  }
}

/// Attributes that Keras splits in numbered parts where they pass HDF5's limit of 64 KB.
enum KerasAttributes {
  static func listsLayers(_ object: HDF5Index.Object) -> Bool {
    object.attributes["layer_names"] != nil || object.attributes["layer_names0"] != nil
  }

  /// The strings of `name`, or of `name0`, `name1`, …; nil where the object has neither.
  static func strings(_ name: String, of object: HDF5Index.Object) -> [String]? {
    if let whole = object.attributes[name] { return whole?.strings ?? [] }
    var parts: [String] = []
    var number = 0
    while let part = object.attributes[name + String(number)] {
      parts += part?.strings ?? []
      number += 1
    }
    return number > 0 ? parts : nil
  }
}
