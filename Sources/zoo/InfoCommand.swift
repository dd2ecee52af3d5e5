import ArgumentParser
import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooGraph

struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Show all that is known of a model.",
    discussion: "Example: zoo info resnet50")

  @Argument(help: "A model's name; `zoo list` names them all.")
  var model: String

  @Flag(help: "Print JSON.")
  var json = false

  @Option(help: "A folder with more models, converters or checksums; may be repeated.")
  var catalog: [String] = []

  func run() throws {
    let catalog = try Catalog.standard(overlays: catalog)
    let model = try model(in: catalog)
    let stages = try model.graph().stageSummaries(input: model.inputShape)
    let store = ModelStore()
    if json { return print(jsonLine(ModelDetails(model, stages, store))) }

    print(Terminal.bold(model.title))
    for (title, value) in facts(model, catalog, store) { print("  \(title.padded(to: 12))\(value)") }
    for problem in try Self.miscounted(model, stages) { Terminal.note("zoo: \(problem)") }
    let way = model.maximumLength == nil ? "from the picture to the classes" : "from the tokens to the output"
    print("\n" + Terminal.bold("Stages") + ", " + way)
    print(stageTable(model, stages).render())
    guard !model.weights.isEmpty else { return }
    print("\n" + Terminal.bold("Published weights"))
    print(weightTable(model).render())
    for weights in model.weights {
      for older in weights.olderFiles ?? [] { print("  \(older.file): an older file of \(weights.id)") }
      if let note = weights.note { print("  \(weights.id): \(note)") }
    }
  }

  private func model(in catalog: Catalog) throws -> Model {
    do { return try catalog.model(named: model) } catch {
      guard FileManager.default.fileExists(atPath: model) else { throw error }
      throw UsageError(
        problem: "'\(model)' is a file; `zoo identify` says which model it is, `zoo inspect` what is in it")
    }
  }

  private func facts(_ model: Model, _ catalog: Catalog, _ store: ModelStore) -> [(String, String)] {
    let namings =
      [model.naming] + catalog.nameMaps.filter { $0.fits(model) }.map(\.naming).filter { $0 != model.naming }
    let path = store.path(forModel: model.name)
    return [
      ("name", model.name), ("family", "\(model.family) \(CheckpointMetadata.encode(model.config))"),
    ] + (model.note.map { [("note", $0)] } ?? []) + [
      ("task", taskLine(model)),
      ("parameters", "\(Quantity.count(model.parameters)) (\(model.parameters))"),
      ("GFLOPs", "\(model.gflops) multiply-adds a \(Self.unit(of: model))"), ("input", inputLine(model)),
      ("namings", namings.joined(separator: ", ") + (namings.count > 1 ? " (the first is canonical)" : "")),
      ("paper", model.paper.map { "\($0.title), \($0.year), \($0.url)" } ?? "–"),
      ("store", store.contains(model.name) ? path : Self.wayToStore(model, path)),
    ]
  }

  /// Where the catalogue's numbers are not the network's, as in a new model's first draft.
  private static func miscounted(_ model: Model, _ stages: [StageSummary]) throws -> [String] {
    let parameters = try model.graph().parameterCount
    let gflops = stages.reduce(0) { $0 + $1.multiplyAdds } / 1e9
    var problems: [String] = []
    if parameters != model.parameters {
      problems.append("the network has \(parameters) parameters, the catalogue says \(model.parameters)")
    }
    // The catalogue rounds to three decimals; a segmentation network's published cost counts its auxiliary classifier.
    if model.task != "image-segmentation", abs(gflops - model.gflops) > 0.0006 {
      problems.append(
        "a \(unit(of: model)) takes \(Quantity.decimals(gflops, 3)) GFLOPs, the catalogue says \(model.gflops)")
    }
    return problems
  }

  private static func wayToStore(_ model: Model, _ path: String) -> String {
    "not there: " + (model.weights.isEmpty ? "zoo convert FILE -o \(path)" : "zoo pull \(model.name)")
  }

  private static func unit(of model: Model) -> String {
    model.maximumLength == nil ? "picture" : "text of \(Model.tokensOfCost) tokens"
  }

  private func taskLine(_ model: Model) -> String {
    let hasClasses = NetworkTask(rawValue: model.task)?.hasClasses ?? true
    return model.task + (hasClasses ? ", \(model.classes) classes" : "")
  }

  private func inputLine(_ model: Model) -> String {
    let input = model.preprocessing
    if let length = model.maximumLength {
      let pooling = input["pooling"].map { ", \(Self.text($0)) of the tokens' vectors" } ?? ""
      return "at most \(length) tokens" + pooling + (input["normalize"] == .bool(true) ? ", of length 1" : "")
    }
    let words = ["resize", "crop", "interpolation", "mean", "std", "channelOrder"].compactMap { field in
      input[field].map { "\(field == "channelOrder" ? "channels" : field) \(Self.text($0))" }
    }
    return words.joined(separator: ", ")
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .array(let values): values.map(text).joined(separator: " ")
    case .number(let number) where number != number.rounded(): Quantity.decimals(number, 3)
    default: CheckpointMetadata.encode(value)
    }
  }

  private func stageTable(_ model: Model, _ stages: [StageSummary]) -> Table {
    var table = Table([
      .init(title: "stage"), .init(title: "layers", alignment: .right), .init(title: "output", alignment: .right),
      .init(title: "parameters", alignment: .right), .init(title: "GFLOPs", alignment: .right),
    ])
    for stage in stages {
      table.add([
        stage.name, String(stage.layers), Quantity.shape(stage.output(of: model)),
        Quantity.count(stage.parameters), Quantity.decimals(stage.multiplyAdds / 1e9, 3),
      ])
    }
    return table
  }

  private func weightTable(_ model: Model) -> Table {
    var table = Table([
      .init(title: "weights"), .init(title: "top-1 %", alignment: .right), .init(title: "MiB", alignment: .right),
      .init(title: "resize", alignment: .right), .init(title: "SHA-256"), .init(title: "licence"),
      .init(title: "where", shrinks: true),
    ])
    for weights in model.weights {
      table.add([
        weights.id, weights.topOne.map { Quantity.decimals($0, 2) } ?? "–",
        weights.sizeMiB.map { Quantity.decimals($0, 1) } ?? "–", model.resize(forWeights: weights.id),
        weights.sha256.map { $0.prefix(8) + "… (whole)" } ?? weights.sha256Prefix.map { $0 + "…" }
          ?? weights.md5.map { $0.prefix(8) + "… (MD5)" } ?? "–",
        weights.licence ?? "–", weights.url,
      ])
    }
    return table
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

extension StageSummary {
  /// The stage's output for one picture, or for one text's tokens.
  fileprivate func output(of model: Model) -> [Int] {
    model.maximumLength == nil ? Array(output.dropFirst()) : output
  }
}

/// A model as `zoo info --json` prints it.
private struct ModelDetails: Encodable {
  struct Stage: Encodable {
    let name: String
    let layers: Int
    let parameters: Int
    let multiplyAdds: Double
    let output: [Int]
  }

  let name: String
  let title: String
  let family: String
  let task: String
  let naming: String
  let config: JSONValue
  let classes: Int
  let labels: [String]
  let input: JSONValue
  let parameters: Int
  let gflops: Double
  let paper: Paper?
  let weights: [PublishedWeights]
  let stages: [Stage]
  let installed: Bool
  let path: String

  init(_ model: Model, _ stages: [StageSummary], _ store: ModelStore) {
    name = model.name
    title = model.title
    family = model.family
    task = model.task
    naming = model.naming
    config = model.config
    classes = model.classes
    labels = model.labels
    input = model.preprocessing
    parameters = model.parameters
    gflops = model.gflops
    paper = model.paper
    weights = model.weights
    self.stages = stages.map {
      Stage(
        name: $0.name, layers: $0.layers, parameters: $0.parameters, multiplyAdds: $0.multiplyAdds,
        output: $0.output(of: model))
    }
    installed = store.contains(model.name)
    path = store.path(forModel: model.name)
  }
}
