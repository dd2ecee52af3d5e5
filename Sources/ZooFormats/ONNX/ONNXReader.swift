import Foundation
import ZooCheckpoint

/// Reads ONNX: the structure through protobuf-c in the sandboxed worker, the data straight from the mapped file.
enum ONNXReader {
  /// - Throws: ``WorkerError``, ``ONNXError``, `FileError`, `TensorError`.
  static func read(_ file: MappedFile) throws -> WeightFile {
    let reply = try Worker.run(.onnx, on: file, offset: 0, count: file.count)
    let index: ONNXIndex.Model
    do { index = try JSONDecoder().decode(ONNXIndex.Model.self, from: reply) } catch {
      throw WorkerError.badReply(file: file.path, problem: "is no ONNX model")
    }
    let tensors = ONNXTensorReader(file: file, externalData: ONNXExternalData(model: file.path))
    let model = try ONNXModelBuilder(tensors: tensors).model(index)
    var weights = ONNXWeights()
    weights.collect(model)
    guard weights.stateDict.count > 0 || !model.graph.nodes.isEmpty else {
      throw ONNXError(file: file.path, place: "", fault: .noTensors)
    }
    var result = WeightFile(path: file.path, format: .onnx, stateDict: weights.stateDict)
    result.skipped = index.graph.initializers.filter { $0.dataType == 8 }.map {
      SkippedEntry(name: $0.name, reason: "holds text")
    }
    result.onnx = model
    try result.takeExportedCheckpoint(model.metadata)
    return result
  }
}

/// All tensors of a model that may be weights: initializers, those of Constant nodes and those inside subgraphs.
struct ONNXWeights {
  private(set) var stateDict = StateDict()

  mutating func collect(_ model: ONNXModel) {
    stateDict = model.graph.initializers
    for node in model.graph.nodes { collect(node) }
    for function in model.functions {
      for node in function.nodes { collect(node) }
    }
  }

  private mutating func collect(_ node: ONNXModel.Node) {
    // Shapes and indices in Constant nodes are the graph's own business.
    if node.operatorName == "Constant", let name = node.outputs.first, case .tensor(let tensor)? = node.value,
      tensor.dtype.isFloatingPoint, !tensor.shape.isEmpty
    {
      add(tensor, name: name, place: node.name)
    }
    for (attribute, value) in node.attributes.sorted(by: { $0.key < $1.key }) {
      guard case .graph(let inner) = value else { continue }
      for (name, tensor) in inner.initializers.tensors { add(tensor, name: name, place: node.name + "." + attribute) }
      for node in inner.nodes { collect(node) }
    }
  }

  /// Two branches may use one name for different tensors.
  private mutating func add(_ tensor: Tensor, name: String, place: String) {
    var free = name
    if stateDict[free] != nil { free = place + "." + name }
    var count = 2
    while stateDict[free] != nil {
      free = "\(place).\(name).\(count)"
      count += 1
    }
    stateDict[free] = tensor
  }
}

extension ONNXModel.Node {
  /// What a Constant node gives, whichever of its attributes says it; nil for text and what is none.
  package var value: ONNXModel.Attribute? {
    func tensor<T: BitwiseCopyable>(_ dtype: DType, _ shape: [Int], _ values: [T]) -> ONNXModel.Attribute? {
      (try? Tensor(dtype: dtype, shape: shape, storage: MemoryStorage(copying: values))).map { .tensor($0) }
    }
    for name in ["value", "value_float", "value_floats", "value_int", "value_ints"] {
      switch attributes[name] {
      case .tensor(let value): return .tensor(value)
      case .float(let value): return tensor(.float32, [], [value])
      case .floats(let values): return tensor(.float32, [values.count], values)
      case .integer(let value): return tensor(.int64, [], [value])
      case .integers(let values): return tensor(.int64, [values.count], values)
      default: continue
      }
    }
    return nil
  }
}

/// Turns the parser's lists into a model.
struct ONNXModelBuilder {
  let tensors: ONNXTensorReader

  func model(_ index: ONNXIndex.Model) throws -> ONNXModel {
    ONNXModel(
      irVersion: Int(index.irVersion),
      producer: [index.producer, index.producerVersion].filter { !$0.isEmpty }.joined(separator: " "),
      opsets: opsets(index.opsets),
      metadata: Dictionary(index.metadata.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { first, _ in first },
      functions: try index.functions.map { function in
        ONNXModel.Function(
          name: function.name, domain: domain(function.domain), inputs: function.inputs, outputs: function.outputs,
          attributeNames: function.attributeNames, attributes: try attributes(function.attributes, of: function.name),
          nodes: try function.nodes.map(node), opsets: opsets(function.opsets))
      },
      graph: try graph(index.graph))
  }

  private func opsets(_ list: [ONNXIndex.Opset]) -> [String: Int] {
    Dictionary(list.map { (domain($0.domain), $0.version) }) { first, second in max(first, second) }
  }

  private func domain(_ name: String) -> String { name == "ai.onnx" ? "" : name }

  private func graph(_ index: ONNXIndex.Graph) throws -> ONNXModel.Graph {
    var initializers = StateDict()
    if let name = index.sparse.first { throw ONNXError(file: tensors.file.path, place: name, fault: .sparse) }
    for entry in index.initializers {
      guard initializers[entry.name] == nil else {
        throw ONNXError(file: tensors.file.path, place: entry.name, fault: .duplicate)
      }
      if let tensor = try tensors.tensor(entry, name: entry.name) { initializers[entry.name] = tensor }
    }
    // Files of IR version 3 and older list initializers among the inputs too.
    return ONNXModel.Graph(
      name: index.name, nodes: try index.nodes.map(node), initializers: initializers,
      inputs: index.inputs.filter { initializers[$0.name] == nil }.map(value), outputs: index.outputs.map(value))
  }

  private func value(_ index: ONNXIndex.Value) -> ONNXModel.Value {
    ONNXModel.Value(
      name: index.name, shape: index.shape?.map { $0 > 0 ? $0 : -1 }, axes: index.axes ?? [],
      dtype: index.dataType.flatMap(ONNXDataType.dtype))
  }

  private func node(_ index: ONNXIndex.Node) throws -> ONNXModel.Node {
    ONNXModel.Node(
      name: index.name, operatorName: index.operator, domain: domain(index.domain), inputs: index.inputs,
      outputs: index.outputs,
      attributes: try attributes(index.attributes, of: index.name.isEmpty ? index.operator : index.name))
  }

  private func attributes(
    _ list: [ONNXIndex.Attribute], of place: String
  ) throws -> [String: ONNXModel.Attribute] {
    var attributes: [String: ONNXModel.Attribute] = [:]
    for attribute in list {
      if let reference = attribute.reference, !reference.isEmpty {
        attributes[attribute.name] = .reference(reference)
      } else if let value = try value(attribute, node: place) {
        attributes[attribute.name] = value
      }
    }
    return attributes
  }

  /// By the numbers of AttributeProto's AttributeType; a list may be empty.
  private func value(_ attribute: ONNXIndex.Attribute, node: String) throws -> ONNXModel.Attribute? {
    switch attribute.type {
    case 1: return .float(attribute.f.map(Float.init(bitPattern:)) ?? 0)
    case 2: return .integer(attribute.i ?? 0)
    case 3: return .string(attribute.s ?? "")
    case 4:
      guard let entry = attribute.t else {
        throw ONNXError(file: tensors.file.path, place: node, fault: .attribute(attribute.name))
      }
      return try tensors.tensor(entry, name: "\(node).\(attribute.name)").map { .tensor($0) }
    case 5:
      guard let inner = attribute.g else {
        throw ONNXError(file: tensors.file.path, place: node, fault: .attribute(attribute.name))
      }
      return .graph(try graph(inner))
    case 6: return .floats((attribute.floats ?? []).map(Float.init(bitPattern:)))
    case 7: return .integers(attribute.ints ?? [])
    case 8: return .strings(attribute.strings ?? [])
    // Lists of tensors and graphs, sparse tensors, types; without any type, an empty list that says nothing.
    case 9...14: throw ONNXError(file: tensors.file.path, place: node, fault: .attribute(attribute.name))
    default: return nil
    }
  }
}
