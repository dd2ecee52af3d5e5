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
    var result = WeightFile(path: file.path, format: .onnx, stateDict: model.graph.initializers)
    // Weights may stand in Constant nodes as well; shapes and indices there are the graph's own business.
    for node in model.graph.nodes where node.operatorName == "Constant" {
      guard case .tensor(let tensor)? = node.attributes["value"], let name = node.outputs.first,
        tensor.dtype.isFloatingPoint, !tensor.shape.isEmpty, result.stateDict[name] == nil
      else { continue }
      result.stateDict[name] = tensor
    }
    guard result.stateDict.count > 0 || !model.graph.nodes.isEmpty else {
      throw ONNXError(file: file.path, place: "", fault: .noTensors)
    }
    result.onnx = model
    return result
  }
}

/// Turns the parser's lists into a model.
struct ONNXModelBuilder {
  let tensors: ONNXTensorReader

  func model(_ index: ONNXIndex.Model) throws -> ONNXModel {
    ONNXModel(
      producer: [index.producer, index.producerVersion].filter { !$0.isEmpty }.joined(separator: " "),
      opsets: opsets(index.opsets),
      metadata: Dictionary(index.metadata.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { first, _ in first },
      functions: try index.functions.map { function in
        ONNXModel.Function(
          name: function.name, domain: function.domain, inputs: function.inputs, outputs: function.outputs,
          nodes: try function.nodes.map(node), opsets: opsets(function.opsets))
      },
      graph: try graph(index.graph))
  }

  private func opsets(_ list: [ONNXIndex.Opset]) -> [String: Int] {
    Dictionary(list.map { ($0.domain == "ai.onnx" ? "" : $0.domain, $0.version) }) { first, second in max(first, second)
    }
  }

  private func graph(_ index: ONNXIndex.Graph) throws -> ONNXModel.Graph {
    var initializers = StateDict()
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
      name: index.name, shape: index.shape?.map { $0 > 0 ? $0 : -1 },
      dtype: index.dataType.flatMap(ONNXTensorReader.dtype))
  }

  private func node(_ index: ONNXIndex.Node) throws -> ONNXModel.Node {
    var attributes: [String: ONNXModel.Attribute] = [:]
    for attribute in index.attributes {
      attributes[attribute.name] = try value(attribute, node: index.name.isEmpty ? index.operator : index.name)
    }
    return ONNXModel.Node(
      name: index.name, operatorName: index.operator, domain: index.domain == "ai.onnx" ? "" : index.domain,
      inputs: index.inputs, outputs: index.outputs, attributes: attributes)
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
    default: return nil
    }
  }
}
