import ArgumentParser
import ZooTraining
import ZooVision

/// Flags of the recipe.
struct LearningOptions: ParsableArguments {
  @Option(
    help: """
      head: a new last layer on frozen features; mlp: new hidden layers too; last-n: the last --unfreeze N stages too; \
      staged: the head first, then stages from the top at falling rates; full: everything, from the pretrained weights; \
      lora: changes of low rank to attention's projections or 1×1 layers; scratch: everything, from random ones; auto: \
      by the number of pictures a class. Default: head, or last-n with --unfreeze.
      """)
  var recipe: RecipeChoice?
  @Option(
    help: ArgumentHelp(
      "Stages before the head that learn too, from the last (last-n), or at most (staged); or a pattern of names of "
        + "parameters that learn, such as 'layer4.1.*'. Can be repeated.", valueName: "n|pattern"))
  var unfreeze: [String] = []
  @Option(help: "A pattern of names of parameters that stay as they are. Can be repeated.")
  var freeze: [String] = []
  @Option(help: "Units of mlp's hidden layers, with commas between them; default 256.")
  var hidden: String?
  @Option(help: "The share of mlp's hidden units that is dropped in training.")
  var dropout = 0.5
  @Option(help: "The rank of lora's changes; default 8.")
  var rank: Int?
  @Option(help: "What lora's changes are multiplied by is this over the rank; default 16.")
  var alpha: Double?
  @Option(
    help: ArgumentHelp(
      "A pattern of names of weights that lora changes, such as '*.query.weight', or ends of modules' names, such as "
        + "query; default attention's projections, else 1×1 convolutions and linear layers. Can be repeated.",
      valueName: "pattern"))
  var loraTargets: [String] = []
  @Flag(help: "Write lora's changes as an adapter (Hugging Face PEFT's) of their own, instead of merged weights.")
  var adapter = false
  @Option(
    help:
      "What BatchNorm normalises by where it learns: frozen statistics, or each batch's; default frozen, but batch from scratch."
  )
  var statistics: Statistics?
  @Flag(help: "Let rare classes count more: each by the inverse of its share.")
  var classWeights = false
  @Option(
    help: ArgumentHelp(
      """
      Changes of the training pictures at random: standard (crop,flip), crop=LEAST AREA, flip=CHANCE, rotate=DEGREES, \
      jitter=BRIGHTNESS:CONTRAST:SATURATION:HUE, randaugment=OPERATIONS:MAGNITUDE, erase=CHANCE; numbers may be left out.
      """, valueName: "list"))
  var augment = ""
  @Option(help: "Changed views of each picture whose frozen features are kept, instead of changing pictures each time.")
  var views = 0
  @Option(
    help:
      "The shorter side that pictures are resized to, for networks that give each pixel a class; default: their own."
  )
  var size: Int?
  @Option(help: "Mix examples with one another by shares of Beta(n, n), such as 0.2.")
  var mixup = 0.0
  @Option(help: "Put parts of pictures into one another by shares of Beta(n, n), such as 1.")
  var cutmix = 0.0
  @Option(help: "Times through the data; default 60 for a head alone, else 12.")
  var epochs: Int?
  @Option(
    help: "Epochs of the head alone before stages learn too; default 30 for last-n, staged, full and lora on pictures.")
  var headEpochs: Int?
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

  enum Statistics: String, ExpressibleByArgument, CaseIterable {
    case frozen, batch
  }

  private var stages: Int? { unfreeze.compactMap { Int($0) }.last }

  /// - Parameter chosen: hears what `auto` has chosen.
  /// - Throws: ``TrainingError``.
  func recipe(for dataset: Dataset, chosen: (AutomaticRecipe) -> Void) throws -> Recipe {
    try requireNoSize()
    return try completed(.pictures, kind(AutomaticRecipe(for: dataset), chosen))
  }

  /// - Throws: ``TrainingError``.
  func recipe(for texts: TextDataset, chosen: (AutomaticRecipe) -> Void) throws -> Recipe {
    try requireNoSize()
    return try completed(
      .texts(texts.purpose), kind(AutomaticRecipe(examplesPerClass: texts.trainingCounts), chosen))
  }

  /// - Throws: ``TrainingError``.
  func recipe(for masks: SegmentationDataset, chosen: (AutomaticRecipe) -> Void) throws -> Recipe {
    try completed(.pixels, kind(AutomaticRecipe(examplesPerClass: masks.trainingCounts), chosen))
  }

  private func requireNoSize() throws(TrainingError) {
    guard let size else { return }
    throw .badOption(name: "--size", value: "\(size)", expected: "a network that gives each pixel a class")
  }

  private func kind(_ automatic: AutomaticRecipe, _ chosen: (AutomaticRecipe) -> Void) -> Recipe.Kind? {
    switch recipe {
    case .kind(let named): return named
    case .automatic:
      chosen(automatic)
      return automatic.kind
    case nil: return nil
    }
  }

  private func completed(_ domain: Recipe.Domain, _ kind: Recipe.Kind?) throws -> Recipe {
    var made = try Recipe(
      domain, kind: kind, unfreeze: stages, epochs: epochs, batchSize: batchSize, learningRate: learningRate,
      optimizer: optimizer, weightDecay: weightDecay, labelSmoothing: labelSmoothing, seed: seed)
    if let hidden {
      made.hidden = try hidden.split(separator: ",").map { text in
        guard let size = Int(text) else {
          throw TrainingError.badOption(name: "--hidden", value: hidden, expected: "sizes such as 512,128")
        }
        return size
      }
    }
    if rank != nil || alpha != nil || !loraTargets.isEmpty || adapter {
      var lowRank = made.lowRank ?? LowRank()
      lowRank.rank = rank ?? lowRank.rank
      lowRank.alpha = alpha ?? lowRank.alpha
      lowRank.targets = loraTargets
      lowRank.isKeptApart = adapter
      made.lowRank = lowRank
    }
    if let headEpochs { made.headEpochs = headEpochs }
    made.dropout = dropout
    made.pictureSize = size
    made.unfrozenNames = unfreeze.filter { Int($0) == nil }
    made.frozenNames = freeze
    made.usesBatchStatistics = statistics.map { $0 == .batch }
    made.balancesClasses = classWeights
    made.augmentation = try Augmentation(parsing: augment)
    (made.views, made.mixup, made.cutmix) = (views, mixup, cutmix)
    made.accumulate = accumulate
    made.clip = clip
    made.averaging = average
    made.patience = patience
    try made.check()
    return made
  }
}

/// `--recipe`: one by name, or what suits the data.
enum RecipeChoice: ExpressibleByArgument {
  case kind(Recipe.Kind)
  case automatic

  init?(argument: String) {
    guard argument != "auto" else {
      self = .automatic
      return
    }
    guard let kind = Recipe.Kind(rawValue: argument) else { return nil }
    self = .kind(kind)
  }

  static var allValueStrings: [String] { Recipe.Kind.allCases.map(\.rawValue) + ["auto"] }
}

extension Recipe.Method: ExpressibleByArgument {}
