import ZooGraph

extension Recipe {
  /// A stretch of epochs in which the same stages learn.
  struct Phase: Equatable {
    /// Stages that learn besides the head, counted from the last.
    var unfrozen: Int
    var epochs: Int
    /// The highest of the phase.
    var learningRate: Double
    /// Whether changes of low rank learn.
    var adapts = false
  }

  /// The head's rate over that of a run through all stages: on frozen features larger steps hold.
  private static let headFactor = 3.0

  /// - Parameter stages: of the network, the head's not counted.
  func phases(stages: Int) -> [Phase] {
    let head = [Phase(unfrozen: 0, epochs: headEpochs ?? 0, learningRate: learningRate * Self.headFactor)]
      .filter { $0.epochs > 0 }
    switch kind {
    case .head, .mlp: return [Phase(unfrozen: unfreeze, epochs: epochs, learningRate: learningRate)]
    case .lastN: return head + [Phase(unfrozen: unfreeze, epochs: epochs, learningRate: learningRate)]
    case .full: return head + [Phase(unfrozen: stages, epochs: epochs, learningRate: learningRate)]
    case .scratch: return [Phase(unfrozen: stages, epochs: epochs, learningRate: learningRate)]
    case .lora: return head + [Phase(unfrozen: unfreeze, epochs: epochs, learningRate: learningRate, adapts: true)]
    case .staged: return head + stagedPhases(stages: stages)
    }
  }

  /// Gradual unfreezing (Howard and Ruder, ACL 2018, section 3.3): a third of the epochs for the head unless it has epochs
  /// of its own, the rest evenly for one stage more each time. The rate halves where stages thaw, as in fastai's `fine_tune`.
  private func stagedPhases(stages: Int) -> [Phase] {
    let hasHead = headEpochs == nil
    let depth = min(unfreeze, stages, epochs - (hasHead ? 1 : 0))
    guard depth > 0 else { return [Phase(unfrozen: 0, epochs: epochs, learningRate: learningRate)] }
    let forHead = hasHead ? max(1, min(epochs / 3, epochs - depth)) : 0
    let rest = epochs - forHead
    var rate = learningRate
    var phases = hasHead ? [Phase(unfrozen: 0, epochs: forHead, learningRate: rate)] : []
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
  /// Of all phases together.
  public var totalEpochs: Int { epochs + (kind.beginsWithHead ? headEpochs ?? 0 : 0) }

  /// What learns, for people.
  public var whatLearns: String {
    switch kind {
    case .head: "a new head on frozen features"
    case .mlp: "a new head with hidden layers of \(hidden.map(String.init).joined(separator: ", ")) on frozen features"
    case .lastN: unfreeze == 1 ? "a new head and the last stage" : "a new head and the last \(unfreeze) stages"
    case .staged: "a new head, then up to \(unfreeze) stages from the top"
    case .full: "a new head and all of the network"
    case .lora:
      "a new head, and the network by changes of rank \(lowRank?.rank ?? 0)"
        + (unfreeze == 0 ? "" : unfreeze == 1 ? ", and the last stage" : ", and the last \(unfreeze) stages")
    case .scratch: "all of the network, from random weights"
    }
  }

  /// Names of the tensors that began at random, or at zero.
  ///
  /// - Parameter head: those of the new head.
  func newlyInitialised(head: [String], in graph: Graph) -> [String] {
    kind == .scratch ? graph.parameters.map(\.name) : head
  }
}

extension Recipe.Kind {
  /// Whether the new head learns alone before more of the network does.
  var beginsWithHead: Bool { [.lastN, .staged, .full, .lora].contains(self) }
}
