import ArgumentParser
import ZooTraining

/// Flags of the recipe.
struct LearningOptions: ParsableArguments {
  @Option(
    help: """
      head: a new last layer on frozen features; last-n: the last --unfreeze N stages too; staged: the head first, then \
      stages from the top at falling rates; full: everything, from the pretrained weights; scratch: everything, from \
      random ones. Default: head, or last-n with --unfreeze.
      """)
  var recipe: Recipe.Kind?
  @Option(help: "Times through the data; default 60 for a head alone, else 12.")
  var epochs: Int?
  @Option(help: "Pictures a batch; default 32 for a head alone, else 16.")
  var batchSize: Int?
  @Option(help: "Batches whose gradients are summed for one step.")
  var accumulate = 1
  @Option(help: "The highest learning rate; it rises for a twentieth of the steps and falls along a cosine.")
  var learningRate: Double?
  @Option(help: "adamw, or sgd with momentum 0.9.")
  var optimizer = Recipe.Method.adamw
  @Option(help: "Weight decay; default 0.05 for adamw, 0.001 for sgd.")
  var weightDecay: Double?
  @Option(help: "The share of each target spread over all classes.")
  var labelSmoothing = 0.0
  @Option(help: "The norm that gradients are brought down to where theirs is higher.")
  var clip: Double?
  @Option(help: "Judge and keep an exponential moving average of the weights, with this decay, such as 0.99.")
  var average: Double?
  @Option(help: "Stop after so many epochs without a better one.")
  var patience: Int?
  @Option(help: "Seed of the split, the order and whatever else is random.")
  var seed: UInt64 = 0

  func recipe(unfreeze: Int?) throws -> Recipe {
    try completed(
      Recipe(
        kind: recipe, unfreeze: unfreeze, epochs: epochs, batchSize: batchSize, learningRate: learningRate,
        optimizer: optimizer, weightDecay: weightDecay, labelSmoothing: labelSmoothing, seed: seed))
  }

  func recipe(forTexts purpose: TextPurpose, unfreeze: Int?) throws -> Recipe {
    try completed(
      Recipe.forTexts(
        purpose, kind: recipe, unfreeze: unfreeze, epochs: epochs, batchSize: batchSize, learningRate: learningRate,
        optimizer: optimizer, weightDecay: weightDecay, labelSmoothing: labelSmoothing, seed: seed))
  }

  private func completed(_ recipe: Recipe) throws -> Recipe {
    var made = recipe
    made.accumulate = accumulate
    made.clip = clip
    made.averaging = average
    made.patience = patience
    try made.check()
    return made
  }
}

extension Recipe.Method: ExpressibleByArgument {}
extension Recipe.Kind: ExpressibleByArgument {}
