import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooGraph
import ZooONNX

/// What holds of a weight file and what doesn't.
public struct Verification: Sendable, Encodable {
  public struct Check: Sendable, Encodable {
    public let name: String
    public let holds: Bool
    /// What was found, for people.
    public let detail: String
  }
  public private(set) var checks: [Check] = []

  public var holds: Bool { checks.allSatisfy(\.holds) }

  /// Re-checks digests, finiteness and the fit to the model.
  ///
  /// - Throws: what opening the file throws; a check that does not hold is a result, not an error.
  public init(path: String, catalog: Catalog) throws {
    let source = try WeightFile.open(path: path)
    try checkDigest(source)
    try source.checkRecords()
    try checkFiniteness(source.stateDict)
    let metadata = CheckpointMetadata(source.metadata)
    if let config = metadata.config {
      try checkFit(source.stateDict, config: config, aliases: metadata.aliases)
    } else if let best = catalog.identify(source).first {
      checks.append(
        Check(
          name: "fit", holds: best.isExact || best.isHeadless,
          detail: "\(best.model.title), \(best.naming) names"
            + Self.differences(missing: best.missing, extra: best.extra, misshapen: best.misshapen.map(\.name))))
    } else {
      checks.append(Check(name: "fit", holds: true, detail: "no model of the catalogue resembles it"))
    }
  }

  private mutating func checkDigest(_ source: WeightFile) throws {
    guard let recorded = CheckpointMetadata(source.metadata).digest else {
      return checks.append(Check(name: "digest", holds: true, detail: "none recorded in \(source.format.displayName)"))
    }
    let found = try Checkpoint.open(path: source.sourceFile).dataDigest()
    checks.append(
      Check(
        name: "digest", holds: found == recorded,
        detail: found == recorded
          ? "SHA-256 \(found.prefix(16))…" : "recorded \(recorded.prefix(16))…, found \(found.prefix(16))…"))
  }

  private mutating func checkFiniteness(_ stateDict: StateDict) throws {
    var offenders: [String] = []
    for (name, tensor) in stateDict.tensors where tensor.dtype.isFloatingPoint {
      let count = try TensorStatistics(tensor).nonFinite
      if count > 0 { offenders.append("\(name) (\(count) of \(tensor.elementCount))") }
    }
    checks.append(
      Check(
        name: "finite", holds: offenders.isEmpty,
        detail: offenders.isEmpty ? "\(stateDict.count) tensors" : "NaN or infinite: " + Self.list(offenders)))
  }

  private mutating func checkFit(_ stateDict: StateDict, config: String, aliases: [String: String]) throws {
    let graph = try Catalog.graph(forConfig: config)
    let known = Set(graph.parameters.map(\.name))
    let counters = Set(graph.stepCounters)
    var (missing, misshapen): ([String], [String]) = ([], [])
    for parameter in graph.parameters {
      guard let tensor = stateDict[parameter.name] ?? aliases[parameter.name].flatMap({ stateDict[$0] }) else {
        missing.append(parameter.name)
        continue
      }
      if tensor.shape != parameter.shape {
        misshapen.append("\(parameter.name) \(tensor.shape) for \(parameter.shape)")
      }
    }
    let extra = stateDict.names.filter { !known.contains($0) && !counters.contains($0) }
    checks.append(
      Check(
        name: "fit", holds: missing.isEmpty && extra.isEmpty && misshapen.isEmpty,
        detail: "\(known.count) parameters of its model"
          + Self.differences(missing: missing, extra: extra, misshapen: misshapen)))
  }

  private static func differences(missing: [String], extra: [String], misshapen: [String]) -> String {
    [("missing", missing), ("extra", extra), ("misshapen", misshapen)]
      .filter { !$0.1.isEmpty }.map { "; \($0.0): \(list($0.1))" }.joined()
  }

  private static func list(_ names: [String]) -> String {
    names.count <= 6
      ? names.joined(separator: ", ") : names.prefix(6).joined(separator: ", ") + " and \(names.count - 6) more"
  }
}
