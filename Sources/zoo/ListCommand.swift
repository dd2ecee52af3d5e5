import ArgumentParser
import ZooCatalog
import ZooCheckpoint

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the models of the catalogue.",
    discussion: "Examples: zoo list 'resnet*' · zoo list vgg --json")

  @Argument(help: "Names to list, such as 'resnet*'; without wildcards, any part of the name.")
  var pattern: String?

  @Option(help: "Only models for this task, such as image-classification.")
  var task: String?

  @Flag(help: "What is in the store: weights, size, when they came, the digest of their data.")
  var installed = false

  @Flag(help: "Print JSON.")
  var json = false

  @Option(help: "A folder with more models, converters or checksums; may be repeated.")
  var catalog: [String] = []

  func run() throws {
    let store = ModelStore()
    let catalog = try Catalog.standard(overlays: catalog)
    if installed { return listInstalled(store, catalog) }
    let models = try catalog.models(matching: pattern, task: task)
    if json { return print(jsonLine(models.map { ModelSummary($0, store) })) }
    var table = Table([
      .init(title: "name"), .init(title: "family"), .init(title: "task", shrinks: true),
      .init(title: "parameters", alignment: .right), .init(title: "GFLOPs", alignment: .right),
      .init(title: "input", alignment: .right), .init(title: "top-1 %", alignment: .right), .init(title: "store"),
    ])
    for model in models {
      table.add([
        model.name, model.family, model.task, Quantity.count(model.parameters), Quantity.decimals(model.gflops, 2),
        model.maximumLength.map { "\($0) tokens" } ?? model.inputSize.map(String.init).joined(separator: "×"),
        model.bestAccuracy.map { Quantity.decimals($0, 2) } ?? "–", store.contains(model.name) ? "yes" : "–",
      ])
    }
    print(table.render())
  }

  /// Models of no catalogue are listed too, unless a task is asked for.
  private func listInstalled(_ store: ModelStore, _ catalog: Catalog) {
    let found = store.installed().filter { entry in
      (pattern.map { entry.model.matches(shellPattern: $0) } ?? true)
        && (task.map { task in catalog.models.contains { $0.name == entry.model && $0.task == task } } ?? true)
    }
    if json { return print(jsonLine(found)) }
    guard !found.isEmpty else { return print("None of them is in the store, \(store.folder).") }
    var table = Table([
      .init(title: "name"), .init(title: "weights"), .init(title: "size", alignment: .right), .init(title: "installed"),
      .init(title: "digest"),
    ])
    for entry in found {
      table.add([
        entry.model, entry.weights ?? "–", Quantity.bytes(entry.bytes), entry.installed,
        entry.digest.map { $0.prefix(16) + "…" } ?? "can't be read",
      ])
    }
    print(table.render())
  }
}

/// A model as `zoo list --json` prints it.
private struct ModelSummary: Encodable {
  let name: String
  let title: String
  let family: String
  let task: String
  let parameters: Int
  let gflops: Double
  /// Height and width of the picture; empty where the model reads texts.
  let input: [Int]
  /// Tokens of the longest text; absent where the model reads pictures.
  let maximumLength: Int?
  let classes: Int
  let bestTop1: Double?
  let installed: Bool

  init(_ model: Model, _ store: ModelStore) {
    name = model.name
    title = model.title
    family = model.family
    task = model.task
    parameters = model.parameters
    gflops = model.gflops
    input = model.inputSize
    maximumLength = model.maximumLength
    classes = model.classes
    bestTop1 = model.bestAccuracy
    installed = store.contains(model.name)
  }
}
