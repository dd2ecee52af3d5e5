import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Writes what a run of changes of low rank has learnt as PEFT's `save_pretrained` does; a network's metadata travels in
/// the weights' file, where PEFT passes it by.
struct AdapterWriter {
  let graph: Graph
  let learning: ParameterGroups
  let recipe: Recipe
  /// PEFT's `task_type`.
  let task: String?

  /// The fields of PEFT's `LoraConfig` that say how to read the weights.
  private struct Config: Encodable {
    let peft_type = "LORA"
    let task_type: String?
    let base_model_name_or_path: String?
    let r: Int
    let lora_alpha: Double
    let lora_dropout = 0.0
    let bias = "none"
    let fan_in_fan_out: Bool
    let target_modules: [String]
    let modules_to_save: [String]
    let use_rslora = false
    let init_lora_weights = true
    let inference_mode = true
  }

  /// A checkpoint of an earlier run goes, so that nobody takes it for this run's.
  ///
  /// - Throws: `FileError`, `TensorError`.
  func write(_ learnt: Weights, metadata: CheckpointMetadata, to folder: RunFolder) throws -> WrittenCheckpoint {
    let (adapter, names) = (folder.adapter, AdapterNames(graph))
    let lowRank = learning.lowRank
    var stateDict = StateDict()
    // Where the head alone did best, the changes are none.
    let factors = lowRank.start(seed: recipe.seed).merging(learnt) { $1 }
    for weight in lowRank.weights {
      let (own, module) = (LowRankFactors.names(of: weight.name), AdapterFolder.prefix + names.module(of: weight.name))
      let pixel = weight.shape.count == 4 ? [1, 1] : []
      for (name, part) in [(own.a, "lora_A"), (own.b, "lora_B")] {
        guard let tensor = factors[name] else { continue }
        stateDict["\(module).\(part).weight"] = try FloatTensor(
          shape: tensor.shape + pixel, values: tensor.values()
        ).stored()
      }
    }
    let direct = self.direct(learnt)
    for name in direct { stateDict[AdapterFolder.prefix + name] = try learnt[name]?.stored() }
    let config = Config(
      task_type: task, base_model_name_or_path: metadata.model, r: lowRank.settings.rank,
      lora_alpha: lowRank.settings.alpha, fan_in_fan_out: lowRank.weights.contains(where: \.isTurned),
      target_modules: Self.unique(lowRank.weights.map { names.target(of: $0.name) }),
      modules_to_save: Self.unique(direct.compactMap(Self.module)))
    try Folder.make(adapter.path)
    let written = try CheckpointWriter.write(stateDict, metadata: metadata, to: adapter.weights, overwrite: true)
    try write(config, to: adapter.config)
    unlink(folder.model)
    return written
  }

  private func write(_ config: Config, to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let file = try AtomicFile(path: path, overwrite: true)
    try file.write(String(decoding: try encoder.encode(config), as: UTF8.self) + "\n")
    try file.commit()
  }

  /// Names of what has learnt itself, in the graph's order: parameters, and the statistics of their layers.
  private func direct(_ learnt: Weights) -> [String] {
    graph.parameters.filter { parameter in
      learnt[parameter.name] != nil
        && (parameter.isBuffer ? learning.moves(parameter.name) : learning.factors[parameter.name] != nil)
    }.map(\.name)
  }

  private static func module(_ name: String) -> String? {
    name.lastIndex(of: ".").map { String(name[..<$0]) }
  }

  private static func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }
}

extension TextPurpose {
  /// PEFT's `task_type`.
  var adapterTask: String {
    switch self {
    case .classes: "SEQ_CLS"
    case .answers: "SEQ_2_SEQ_LM"
    case .continuation: "CAUSAL_LM"
    }
  }
}
