extension Recipe {
  /// A stretch of epochs in which the same stages learn.
  struct Phase: Equatable {
    /// Stages that learn besides the head, counted from the last.
    var unfrozen: Int
    var epochs: Int
    /// The highest of the phase.
    var learningRate: Double
  }

  /// - Parameter stages: of the network, the head's not counted.
  func phases(stages: Int) -> [Phase] {
    switch kind {
    case .head, .mlp, .lastN: [Phase(unfrozen: unfreeze, epochs: epochs, learningRate: learningRate)]
    case .full, .scratch: [Phase(unfrozen: stages, epochs: epochs, learningRate: learningRate)]
    case .staged: stagedPhases(stages: stages)
    }
  }

  /// Gradual unfreezing (Howard and Ruder, ACL 2018, section 3.3): a third of the epochs for the head, the rest evenly
  /// for one stage more each time. The rate halves where stages thaw, as in fastai's `fine_tune`.
  private func stagedPhases(stages: Int) -> [Phase] {
    let depth = min(unfreeze, stages, epochs - 1)
    guard depth > 0 else { return [Phase(unfrozen: 0, epochs: epochs, learningRate: learningRate)] }
    let forHead = max(1, min(epochs / 3, epochs - depth))
    let rest = epochs - forHead
    var rate = learningRate
    var phases = [Phase(unfrozen: 0, epochs: forHead, learningRate: rate)]
    for place in 0..<depth {
      rate /= 2
      // The deepest ones get what is left over.
      let share = rest / depth + (place >= depth - rest % depth ? 1 : 0)
      phases.append(Phase(unfrozen: place + 1, epochs: share, learningRate: rate))
    }
    return phases
  }
}

extension Recipe {
  /// What learns, for people.
  public var whatLearns: String {
    switch kind {
    case .head: "a new head on frozen features"
    case .mlp: "a new head with hidden layers of \(hidden.map(String.init).joined(separator: ", ")) on frozen features"
    case .lastN: unfreeze == 1 ? "a new head and the last stage" : "a new head and the last \(unfreeze) stages"
    case .staged: "a new head, then up to \(unfreeze) stages from the top"
    case .full: "a new head and all of the network"
    case .scratch: "all of the network, from random weights"
    }
  }
}
