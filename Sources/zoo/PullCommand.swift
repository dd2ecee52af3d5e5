import ArgumentParser
import ZooCatalog
import ZooCheckpoint
import ZooDownload
import ZooStore

struct PullCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Bring published weights into the store.",
    discussion: """
      Downloads the published file, holds it to its published SHA-256 while it arrives, converts it, and files the \
      checkpoint in the store ($ZOO_HOME, by default ~/.local/share/zoo/models), where every verb finds it by name. A \
      download that broke off goes on where it ended.

        zoo pull resnet50                     the best weights
        zoo pull resnet50:IMAGENET1K_V1       these weights; zoo info resnet50 lists them
        zoo pull --all 'resnet*'              all models of such names

      ZOO_MIRROR names mirrors, base addresses with commas between them, which are tried before the publisher; a mirror \
      holds the published files right below its address: https://mirror.example/weights/resnet50-11ad3fa6.pth. Proxies \
      are those of https_proxy, http_proxy, all_proxy and no_proxy.
      """)

  @Argument(help: "Models, each with :WEIGHTS where not the default ones are meant.")
  var models: [String] = []
  @Option(help: "The weights of the one model named.")
  var weights: String?
  @Option(help: ArgumentHelp("Every model with published weights whose name matches.", valueName: "pattern"))
  var all: String?
  @Flag(help: "Bring weights again that are in the store.")
  var force = false
  @Flag(help: "Keep the published file, in the store's folder downloads.")
  var keepDownload = false
  @OptionGroup var display: DisplayOptions

  func validate() throws {
    guard models.isEmpty != (all == nil) else { throw ValidationError("Name models, or --all with a pattern.") }
    if weights != nil, models.count != 1 || models[0].contains(":") {
      throw ValidationError("--weights goes with one model without :WEIGHTS.")
    }
  }

  func run() throws {
    let catalog = try display.catalog()
    var pull = Pull(catalog: catalog)
    pull.force = force
    pull.keepsDownload = keepDownload
    var failures = Failures()
    for reference in try wanted(catalog) {
      // One that fails among many doesn't keep the others.
      try failures.catching { try bring(reference, pull) }
    }
    try failures.finish()
  }

  private func wanted(_ catalog: Catalog) throws -> [ModelReference] {
    if let all {
      let found = try catalog.models(matching: all).filter { !$0.weights.isEmpty }
      guard !found.isEmpty else { throw CatalogError.noWeights(model: all) }
      return found.map { ModelReference(model: $0.name, weights: nil) }
    }
    return models.map { name in
      weights.map { ModelReference(model: name, weights: $0) } ?? ModelReference(name)
    }
  }

  private func bring(_ reference: ModelReference, _ pull: Pull) throws {
    let model = try pull.catalog.model(named: reference.model)
    let weights = try model.weights(named: reference.weights)
    var bar: Progress?
    defer { bar?.finish() }
    let isQuiet = display.quiet || display.json
    let outcome = try pull.run(model, weights) { step in
      switch step {
      case .downloading(let done, let total):
        if bar == nil {
          bar = Progress(model.name, total: total ?? 0, quiet: isQuiet, rated: true, spell: Quantity.bytes)
        }
        bar?.update(done)
      case .waiting: if !isQuiet { Terminal.note("\(model.name): another zoo is bringing it; waiting") }
      case .sourceFailed(let error):
        bar?.finish()
        if !display.quiet { Terminal.note("zoo: \(error.report.line); trying the next source") }
      case .converting: bar?.finish()
      case .unchecked(let file, let sha256):
        guard !isQuiet else { return }
        Terminal.note(
          "\(model.name): no digest of \(file) is published; SHA-256 is \(sha256)".escapingControlCharacters())
      }
    }
    show(outcome, of: model, pull.store)
  }

  private struct Line: Encodable {
    let model: String
    let weights: String
    let path: String
    let bytes: Int
    let digest: String
    let sha256: String
    let url: String
    let wasThere: Bool
    let download: String?
    /// Names of the tokenizer's files; nil for a model without one.
    let tokenizer: [String]?
  }

  private func show(_ outcome: Pull.Outcome, of model: Model, _ store: ModelStore) {
    let record = outcome.record
    if display.json {
      return print(
        jsonLine(
          Line(
            model: record.model, weights: record.weights, path: outcome.path, bytes: record.bytes,
            digest: record.digest,
            sha256: record.source.sha256, url: record.source.url, wasThere: outcome.wasThere,
            download: outcome.download, tokenizer: record.tokenizer?.map(\.file))))
    }
    guard !display.quiet else { return }
    let words =
      outcome.wasThere
      ? "in the store already"
      : "\(Quantity.bytes(record.bytes)), SHA-256 of \(record.source.file) \(record.source.sha256.prefix(8))…"
    print("\(record.reference)  \(words)".escapingControlCharacters())
    if let download = outcome.download { print("kept \(download)".escapingControlCharacters()) }
    let named = store.path(forModel: model.name)
    guard named != outcome.path else { return }
    if record.isDefault {
      Terminal.note("\(model.name) alone still stands for \(named), which was put there by hand")
    } else {
      Terminal.note("\(model.name) alone stands for \(named); name \(record.reference) for these weights")
    }
  }
}
