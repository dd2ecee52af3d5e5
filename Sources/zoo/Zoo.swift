import ArgumentParser

@main struct Zoo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "zoo",
    abstract: "A model zoo, weight converter and fine-tuning engine: one native program, no Python.",
    subcommands: [
      ListCommand.self,
      InfoCommand.self,
    ])
}
