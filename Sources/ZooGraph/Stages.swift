import ZooCheckpoint

/// Why a graph can't be cut at a stage.
public enum StageError: Error, Sendable, Equatable {
  case outOfRange(stage: Int, stages: Int)
  case severalValuesCross(stage: String, count: Int)
}

extension StageError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .outOfRange(let stage, let stages):
      ErrorReport(.usage, problem: "stage \(stage) of \(stages) doesn't exist")
    case .severalValuesCross(let stage, let count):
      ErrorReport(.badData, place: "stage \(stage)", problem: "\(count) values enter it, a cut needs exactly one")
    }
  }
}

extension Graph {
  /// The one value that enters stage `stage` from before it.
  ///
  /// - Parameter ignoringSizes: whether a value that enters only to say how large a picture becomes doesn't count.
  /// - Throws: ``StageError``.
  public func value(entering stage: Int, ignoringSizes: Bool = false) throws(StageError) -> ValueID {
    guard (0...stages.count).contains(stage) else { throw .outOfRange(stage: stage, stages: stages.count) }
    if stage == 0 { return input }
    let before = Set(nodes.filter { $0.stage < stage }.map(\.output)).union([input])
    let after = nodes.filter { $0.stage >= stage }
    let entering = after.flatMap { ignoringSizes && $0.operation == .resize ? Array($0.inputs.prefix(1)) : $0.inputs }
    let crossing = Set(entering).union(outputs).intersection(before)
    guard crossing.count == 1, let value = crossing.first else {
      throw .severalValuesCross(stage: stage < stages.count ? stages[stage] : "end", count: crossing.count)
    }
    return value
  }

  /// Stages `0 ..< stage`; the output is the value that enters stage `stage`.
  ///
  /// - Throws: ``StageError``.
  public func prefix(stages count: Int) throws(StageError) -> Graph {
    let cut = try value(entering: count)
    var graph = self
    graph.nodes.removeAll { $0.stage >= count }
    graph.outputs = [cut]
    graph.stages = Array(stages.prefix(count))
    return graph.keepingUsedParameters()
  }

  /// Stage `stage` and all after it; the input is the value that enters stage `stage`.
  ///
  /// - Throws: ``StageError``.
  public func suffix(fromStage stage: Int) throws(StageError) -> Graph {
    let cut = try value(entering: stage)
    var graph = self
    graph.nodes.removeAll { $0.stage < stage }
    graph.input = cut
    graph.nodes = graph.nodes.map { node in
      var node = node
      node.stage -= stage
      return node
    }
    graph.stages = Array(stages.dropFirst(stage))
    return graph.keepingUsedParameters()
  }

  func keepingUsedParameters() -> Graph {
    var graph = self
    let used = Set(nodes.flatMap(\.inputs))
    graph.parameters.removeAll { !used.contains($0.value) }
    return graph
  }
}
