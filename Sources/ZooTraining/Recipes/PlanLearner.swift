import ZooEngine

/// A learner whose parameters are those of a training plan.
protocol PlanLearner: NetworkLearner {
  var plan: TrainingPlan { get }
}

extension PlanLearner {
  var layout: ParameterLayout { plan.layout }

  var parameters: [Float] {
    get { plan.parameters }
    set { plan.parameters = newValue }
  }

  var statistics: [Float] {
    get { plan.statistics }
    set { plan.statistics = newValue }
  }

  func update(_ body: (_ parameters: inout [Float], _ gradient: [Float]) -> Void) {
    body(&plan.parameters, plan.gradients)
  }
}

extension Recipe {
  /// - Parameter threads: nil for one a core.
  func trainingOptions(threads: Int?) -> TrainingOptions {
    let usesBatch = usesBatchStatistics ?? (kind == .scratch)
    return TrainingOptions(threads: threads, batchStatistics: usesBatch ? nil : [])
  }
}
