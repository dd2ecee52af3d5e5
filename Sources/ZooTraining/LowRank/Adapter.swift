import Foundation
import ZooCheckpoint
import ZooEngine

/// An adapter read from the two files that PEFT saves.
struct Adapter {
  struct Factors {
    let a: Tensor
    let b: Tensor
    /// Names of the tensors.
    let names: (a: String, b: String)
  }

  let folder: AdapterFolder
  /// By module, as the file has them.
  let factors: [String: Factors]
  /// Tensors that replace the model's: a new head, whatever else has learnt itself.
  let direct: [String: Tensor]
  /// Of a network that was fine-tuned here.
  let metadata: CheckpointMetadata
  let task: String?
  private let rank: Int
  private let alpha: Double
  private let ranks: [String: Int]
  private let alphas: [String: Double]
  private let dividesByRoot: Bool

  /// Fields of `LoraConfig` by which a change is more, or something else, than `B A`.
  private static let otherForms = [
    "use_dora", "lora_bias", "use_qalora", "use_bdlora", "alora_invocation_tokens", "arrow_config", "kasa_config",
    "layer_replication", "monteclora_config", "target_parameters", "trainable_token_indices", "velora_config",
  ]

  /// - Parameter path: the folder, or one of its files.
  /// - Throws: ``AdapterError``, `FileError`, `SafetensorsError`.
  init(path: String) throws {
    let url = URL(filePath: path)
    let isFile = ["adapter_config.json", "adapter_model.safetensors"].contains(url.lastPathComponent)
    folder = AdapterFolder(path: isFile ? url.deletingLastPathComponent().relativePath : path)
    let files = FileManager.default
    for file in [folder.config, folder.weights] where !files.fileExists(atPath: file) {
      throw AdapterError.missing(folder: folder.path, file: URL(filePath: file).lastPathComponent)
    }
    let config = try Self.config(folder.config)
    let number = { (field: String) in if case .number(let value)? = config[field] { value } else { Double?.none } }
    guard let rank = number("r").flatMap(Int.init(exactly:)), rank > 0, let alpha = number("lora_alpha") else {
      throw AdapterError.badConfig(
        file: folder.config, problem: "says no r, a whole number, or no lora_alpha, a number")
    }
    (self.rank, self.alpha) = (rank, alpha)
    ranks = try Self.patterns(config, "rank_pattern", folder.config).compactMapValues(Int.init(exactly:))
    alphas = try Self.patterns(config, "alpha_pattern", folder.config)
    dividesByRoot = config["use_rslora"] == .bool(true)
    if case .string(let name)? = config["task_type"] { task = name } else { task = nil }
    let checkpoint = try Checkpoint.open(path: folder.weights)
    metadata = checkpoint.metadata
    (factors, direct) = try Self.divide(checkpoint.stateDict, file: folder.weights)
  }

  /// What `B A` is multiplied by.
  func scale(of module: String) -> Float {
    let rank = rank(of: module)
    let alpha = Self.value(of: module, in: alphas) ?? alpha
    return Float(dividesByRoot ? alpha / Double(rank).squareRoot() : alpha / Double(rank))
  }

  func rank(of module: String) -> Int { Self.value(of: module, in: ranks) ?? rank }

  private static func value<Value>(of module: String, in patterns: [String: Value]) -> Value? {
    patterns.sorted { $0.key < $1.key }.first { module == $0.key || module.hasSuffix("." + $0.key) }?.value
  }

  /// - Throws: ``AdapterError``, `FileError`.
  private static func config(_ file: String) throws -> JSONValue {
    guard let bytes = FileManager.default.contents(atPath: file),
      let config = try? JSONDecoder().decode(JSONValue.self, from: bytes), case .object = config
    else {
      throw AdapterError.badConfig(file: file, problem: "is not a JSON object")
    }
    guard config["peft_type"] == .string("LORA") else {
      throw AdapterError.unsupported(
        file: file, field: "peft_type", value: config["peft_type"].map(CheckpointMetadata.encode) ?? "missing",
        expected: "\"LORA\"")
    }
    for field in otherForms {
      guard let value = config[field], ![.null, .bool(false), .array([]), .object([:])].contains(value) else {
        continue
      }
      throw AdapterError.unsupported(
        file: file, field: field, value: CheckpointMetadata.encode(value), expected: "nothing there")
    }
    // These begin by changing the model's own weights.
    if case .string(let start)? = config["init_lora_weights"],
      ["pissa", "olora", "corda", "loftq", "lora_ga"].contains(where: { start.lowercased().hasPrefix($0) })
    {
      throw AdapterError.unsupported(
        file: file, field: "init_lora_weights", value: start,
        expected: "one that leaves the model's weights as they are")
    }
    return config
  }

  /// Numbers by ends of modules' names. PEFT takes regular expressions too; those are refused.
  private static func patterns(_ config: JSONValue, _ field: String, _ file: String) throws -> [String: Double] {
    guard case .object(let fields)? = config[field] else { return [:] }
    var patterns: [String: Double] = [:]
    for (pattern, value) in fields {
      guard case .number(let number) = value, number > 0,
        pattern.allSatisfy({ $0.isLetter || $0.isNumber || "_.".contains($0) })
      else {
        throw AdapterError.unsupported(
          file: file, field: field, value: "\(pattern): \(CheckpointMetadata.encode(value))",
          expected: "numbers above 0 under modules' names")
      }
      patterns[pattern] = number
    }
    return patterns
  }

  private static func divide(
    _ stateDict: StateDict, file: String
  ) throws(AdapterError) -> (factors: [String: Factors], direct: [String: Tensor]) {
    var factors: [String: Factors] = [:]
    var direct: [String: Tensor] = [:]
    let (endA, endB) = (".lora_A.weight", ".lora_B.weight")
    for (name, tensor) in stateDict.tensors {
      let isPrefixed = name.hasPrefix(AdapterFolder.prefix)
      let inner = isPrefixed ? String(name.dropFirst(AdapterFolder.prefix.count)) : name
      if name.hasSuffix(endA) {
        let module = String(inner.dropLast(endA.count))
        let other = String(name.dropLast(endA.count)) + endB
        guard let b = stateDict[other] else { throw .lonelyFactor(file: file, tensor: name, missing: other) }
        factors[module] = Factors(a: tensor, b: b, names: (name, other))
      } else if name.hasSuffix(endB) {
        let other = String(name.dropLast(endB.count)) + endA
        guard stateDict[other] != nil else { throw .lonelyFactor(file: file, tensor: name, missing: other) }
      } else {
        direct[inner] = tensor
      }
    }
    guard !factors.isEmpty else { throw .noFactors(file: file) }
    return (factors, direct)
  }
}
