import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooGraph
import ZooONNX

/// Bytes as the `config.json` beside weights: read as a folder's, then held against networks whose publishers have one.
enum ConfigInput {
  private static let catalog = try? Catalog(overlays: [Seeds.fixtures.appending(path: "text_models").path])
  private static let networks: [(model: Model, stateDict: StateDict)] = {
    ["tiny_bert", "tiny_roberta", "tiny_distilbert", "tiny_gpt2", "tiny_t5", "resnet18", "mobilenet_v2"].compactMap {
      name in
      guard let model = try? catalog?.model(named: name), let graph = try? model.graph() else { return nil }
      return (model, zeros(graph))
    }
  }()

  /// Names and shapes over one zero.
  private static func zeros(_ graph: Graph) -> StateDict {
    let zero = MemoryStorage(copying: [Float(0)])
    var stateDict = StateDict()
    for parameter in graph.parameters {
      stateDict[parameter.name] = try? Tensor(
        dtype: .float32, shape: parameter.shape, strides: parameter.shape.map { _ in 0 }, storage: zero)
    }
    return stateDict
  }

  static func run(_ bytes: UnsafeRawBufferPointer) throws {
    let file = try WeightFile.open(path: ScratchFolder.thread.holding(bytes, as: "config.json"))
    guard let settings = file.publisherSettings else {
      precondition(file.skipped.contains { $0.name == "config.json" }, "left out without a word")
      throw FormatError.unrecognised(file: file.path, firstBytes: Array(bytes.prefix(8)))
    }
    guard let catalog, networks.count == 7 else { preconditionFailure("no networks to hold it against") }
    let (model, stateDict) = networks[bytes.count % networks.count]
    guard let found = catalog.identify(stateDict, settings: settings, as: model) else { return }
    precondition(found.differences.allSatisfy { !$0.isEmpty }, "a difference without words")
    _ = (found.ownInput, found.ownSettings, found.caution, found.input)
    // Whatever a publisher says, what is taken for a network can be built.
    precondition((try? found.description.graph()) != nil, "a network that can't be built")
  }
}
