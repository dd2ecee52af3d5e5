import Foundation
import OrderedCollections
import ZooCheckpoint
import ZooFormats
import ZooGraph

/// ONNX of operator set 17 for any runtime: pictures [batch, 3, height, width] in, logits [batch, classes] out, weights
/// under their canonical names, BatchNorm as it stands, and a checkpoint's own strings as metadata.
enum ONNXExporter: Exporter {
  static let target = ExportTarget.onnx
  static let irVersion = 8
  /// Protobuf takes no message of 2 GiB.
  static let largestMessage = Int(Int32.max) - (1 << 20)
  /// Tensors that no node reads and that are this small go into the metadata: runtimes warn of each unused initializer.
  private static let smallest = 64

  static func write(_ source: ExportSource, to path: String, options: ExportOptions) throws -> ExportedFile {
    try write(source, to: path, options: options, largestMessage: largestMessage)
  }

  /// - Parameter largestMessage: bytes above which the data goes into a file of its own.
  static func write(
    _ source: ExportSource, to path: String, options: ExportOptions, largestMessage: Int
  ) throws -> ExportedFile {
    guard let graph = source.graph else { throw ExportError.unknownNetwork(file: source.path, target: target) }
    let plan = try ONNXFilePlan(source, graph: graph, options: options)
    if plan.size > largestMessage { return try plan.writeWithExternalData(to: path, overwrite: options.overwrite) }
    return try plan.write(to: path, overwrite: options.overwrite)
  }

  /// Whether a tensor goes into the metadata.
  static func isCarried(_ tensor: Tensor) -> Bool { tensor.byteCount <= smallest }
}

/// All of the file but its tensors' data.
struct ONNXFilePlan {
  let initializers: [ONNXInitializer]
  private let nodes: [ProtobufWriter]
  private let values: ProtobufWriter
  private let metadata: [String: String]
  private let tensors: Int

  init(_ source: ExportSource, graph: Graph, options: ExportOptions) throws {
    let (own, aliases) = source.stateDict.separatingAliases()
    let used = Set(graph.nodes.flatMap(\.inputs))
    let needed = graph.parameters.filter { used.contains($0.value) }
    var stored: [String: (name: String, dtype: DType)] = [:]
    for parameter in needed {
      let name = aliases[parameter.name] ?? parameter.name
      guard let tensor = own[name], tensor.shape == parameter.shape else {
        throw ExportError.missingTensor(file: source.path, tensor: parameter.name)
      }
      stored[parameter.name] = (name, tensor.written(as: options.dtype))
    }
    let read = Set(stored.values.map(\.name))
    let carried = own.filter { !read.contains($0.key) && ONNXExporter.isCarried($0.value) }
    let size = Self.inputSize(source.metadata.input)
    let writer = try ONNXGraphWriter(graph, input: [1, 3] + size, stored: stored, reserved: own.keys)
    nodes = writer.nodes
    initializers =
      own.filter { carried[$0.key] == nil }.map { name, tensor in
        ONNXInitializer(name: name, tensor: tensor, dtype: tensor.written(as: options.dtype))
      } + writer.constants
    tensors = source.stateDict.count
    var metadata = source.metadata.strings
    metadata[WeightFile.orderKey] = CheckpointMetadata.encode(source.stateDict.names)
    metadata[ONNXCarriedTensor.key] = try ONNXCarriedTensor.encode(carried, dtype: options.dtype)
    self.metadata = metadata
    var values = ProtobufWriter()
    values.message(11, Self.value("input", [3] + size))
    let classes = try graph.inferShapes(input: [1, 3] + size)[graph.outputs[0].index].dropFirst()
    values.message(12, Self.value("logits", Array(classes)))
    self.values = values
  }

  private struct Input: Decodable {
    let size: [Int]
  }

  /// The pictures' height and width; ImageNet's where the checkpoint doesn't say.
  private static func inputSize(_ json: String?) -> [Int] {
    guard let json, let input = try? JSONDecoder().decode(Input.self, from: Data(json.utf8)), input.size.count == 2,
      input.size.allSatisfy({ (1...16_384).contains($0) })
    else { return [224, 224] }
    return input.size
  }

  /// ValueInfoProto of float32 [batch, …].
  private static func value(_ name: String, _ sizes: [Int]) -> ProtobufWriter {
    var value = ProtobufWriter()
    value.string(1, name)
    value.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, 1)
        tensor.message(2) { shape in
          shape.message(1) { $0.string(2, "batch") }
          for size in sizes { shape.message(1) { $0.integer(1, size) } }
        }
      }
    }
    return value
  }

  /// Bytes of the whole file.
  var size: Int {
    let frame = modelStart.bytes.count + graphStart.bytes.count + values.bytes.count + modelEnd.bytes.count
    return initializers.reduce(frame + 16) { $0 + $1.head.bytes.count + $1.byteCount }
  }

  private var graphStart: ProtobufWriter {
    var graph = ProtobufWriter()
    for node in nodes { graph.message(1, node) }
    graph.string(2, "network")
    return graph
  }

  private var modelStart: ProtobufWriter {
    var model = ProtobufWriter()
    model.integer(1, ONNXExporter.irVersion)
    model.string(2, "zoo")
    return model
  }

  private var modelEnd: ProtobufWriter {
    var model = ProtobufWriter()
    model.message(8) { $0.integer(2, ONNXGraphWriter.operatorSet) }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      model.message(14) { entry in
        entry.string(1, key)
        entry.string(2, value)
      }
    }
    return model
  }

  /// One file; the data goes from file to file.
  func write(to path: String, overwrite: Bool) throws -> ExportedFile {
    let file = try AtomicFile(path: path, overwrite: overwrite)
    let heads = initializers.map(\.head)
    let start = graphStart
    let size = zip(heads, initializers).reduce(start.bytes.count + values.bytes.count) {
      $0 + $1.0.bytes.count + $1.1.byteCount
    }
    var head = modelStart
    head.length(7, size)
    try file.write(head)
    try file.write(start)
    for (head, initializer) in zip(heads, initializers) {
      try file.write(head)
      try file.append(initializer.tensor, as: initializer.dtype)
    }
    try file.write(values)
    try file.write(modelEnd)
    try file.commit()
    return ExportedFile(path: path, bytes: file.count, tensors: tensors)
  }

  /// The model, and all data in `NAME.data` beside it.
  func writeWithExternalData(to path: String, overwrite: Bool) throws -> ExportedFile {
    let dataPath = path + ".data"
    let file = try AtomicFile(path: path, overwrite: overwrite)
    let data = try AtomicFile(path: dataPath, overwrite: overwrite)
    let location = URL(filePath: dataPath).lastPathComponent
    var graph = graphStart
    for initializer in initializers {
      // Whole pages, so that runtimes may map them.
      let padding = (4096 - data.count % 4096) % 4096
      if padding > 0, initializer.byteCount > 0 {
        try [UInt8](repeating: 0, count: padding).withUnsafeBytes { try data.write($0) }
      }
      graph.append(initializer.external(location: location, offset: data.count))
      try data.append(initializer.tensor, as: initializer.dtype)
    }
    graph.append(values)
    var model = modelStart
    model.message(7, graph)
    model.append(modelEnd)
    try file.write(model)
    try data.commit()
    do {
      try file.commit()
    } catch {
      unlink(dataPath)
      throw error
    }
    return ExportedFile(
      path: path, bytes: file.count + data.count, tensors: tensors,
      notes: ["its data is in \(location), which must stay beside it"])
  }
}

extension AtomicFile {
  fileprivate func write(_ message: ProtobufWriter) throws { try message.bytes.withUnsafeBytes { try write($0) } }
}
