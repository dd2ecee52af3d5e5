import ZooCheckpoint

/// What a checkpoint says of the fine-tuning that made it: its `zoo.training`.
struct TrainingRecord: Encodable {
  /// The weights that it began with.
  struct Parent: Encodable {
    let model: String
    let digest: String
  }

  let recipe: Recipe
  /// Of texts alone.
  let purpose: TextPurpose?
  let epochs: Int
  let bestEpoch: Int
  let metrics: EpochRecord?
  let parent: Parent
  let parameters: ParameterCount
  let trainingExamples: Int
  let validationExamples: Int

  init(
    _ position: RunState.Position, recipe: Recipe, purpose: TextPurpose? = nil, parent: Parent,
    parameters: ParameterCount, training: Int, validation: Int
  ) {
    self.recipe = recipe
    self.purpose = purpose
    epochs = position.records.count
    bestEpoch = position.bestEpoch
    metrics = position.records.first { $0.epoch == position.bestEpoch }
    self.parent = parent
    self.parameters = parameters
    trainingExamples = training
    validationExamples = validation
  }
}
