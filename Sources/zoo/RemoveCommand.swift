import ArgumentParser
import ZooCatalog
import ZooCheckpoint

struct RemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove models from the store.",
    discussion: """
      zoo rm resnet50 removes all its weights, zoo rm resnet50:IMAGENET1K_V1 only these. zoo list --installed shows what \
      is there.
      """)

  @Argument(help: "Models, each with :WEIGHTS where not all of its weights are meant.")
  var models: [String]
  @OptionGroup var display: DisplayOptions

  func run() throws {
    let store = ModelStore()
    var failures = Failures()
    for model in models {
      try failures.catching {
        for entry in try store.remove(model) {
          if display.json { print(jsonLine(entry)) } else if !display.quiet { print("removed \(Self.words(entry))") }
        }
      }
    }
    try failures.finish()
  }

  private static func words(_ entry: InstalledModel) -> String {
    let name = ModelReference(model: entry.model, weights: entry.weights)
    return "\(name), \(Quantity.bytes(entry.bytes))".escapingControlCharacters()
  }
}
