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

  /// What keeps the weights from being the model's whole; nil where nothing does, or none resembles them.
  public private(set) var fit: FitReport?

  /// Re-checks digests, finiteness and the fit to the model.
  ///
  /// - Parameter model: the model that the weights must be; nil for the one that they say they are or resemble most.
  /// - Throws: what opening the file throws; a check that does not hold is a result, not an error.
  public init(path: String, catalog: Catalog, model: String? = nil) throws {
    let source = try WeightFile.open(path: path)
    try checkDigest(source)
    try source.checkRecords()
    try checkFiniteness(source.stateDict)
    let metadata = CheckpointMetadata(source.metadata)
    if let model {
      try checkFit(catalog.identify(source, as: catalog.model(named: model)), source, absent: metadata.absent)
    } else if let config = metadata.config {
      try checkFit(source.stateDict, config: config, metadata: metadata)
    } else if let best = catalog.identify(source).first {
      checkFit(best, source, absent: [])
    } else {
      checks.append(Check(name: "fit", holds: true, detail: "no model of the catalogue resembles it"))
    }
  }

  private mutating func checkFit(_ found: Identification?, _ source: WeightFile, absent: [String]) {
    guard let found else { return checks.append(Check(name: "fit", holds: false, detail: "the model can't be built")) }
    let report = FitReport(found, source.stateDict)
    let holds = found.isExact || found.isHeadless
    if !holds { fit = report }
    checks.append(
      Check(
        name: "fit", holds: holds,
        detail: "\(found.model.title), \(found.naming) names"
          + (found.isHeadless ? "; ABSENT: \(Self.list(found.missing))" : report.isWhole ? "" : ": \(report.summary)")))
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

  private mutating func checkFit(_ stateDict: StateDict, config: String, metadata: CheckpointMetadata) throws {
    let graph = try Catalog.graph(forConfig: config)
    let known = Set(graph.parameters.map(\.name))
    let counters = Set(graph.integerBuffers)
    let absent = Set(metadata.absent)
    var missing: [FitReport.Counterpart] = []
    var misshapen: [FitReport.Entry] = []
    for parameter in graph.parameters {
      guard let tensor = stateDict[parameter.name] ?? metadata.aliases[parameter.name].flatMap({ stateDict[$0] }) else {
        if !absent.contains(parameter.name) { missing.append(.init(name: parameter.name, shape: parameter.shape)) }
        continue
      }
      if tensor.shape != parameter.shape {
        misshapen.append(
          .init(name: parameter.name, shape: tensor.shape, expected: parameter.shape, nearest: []))
      }
    }
    let extra = stateDict.tensors.filter { !known.contains($0.key) && !counters.contains($0.key) }
      .map { FitReport.Counterpart(name: $0.key, shape: $0.value.shape) }
    let report = FitReport(
      model: metadata.model ?? "its model", naming: "canonical", missing: missing, extra: extra, misshapen: misshapen)
    if !report.isWhole { fit = report }
    checks.append(
      Check(
        name: "fit", holds: report.isWhole,
        detail: "\(known.count) parameters of its model" + (report.isWhole ? "" : ": \(report.summary)")
          + (absent.isEmpty ? "" : "; ABSENT: \(Self.list(metadata.absent))")))
  }

  private static func list(_ names: [String]) -> String {
    names.count <= 6
      ? names.joined(separator: ", ") : names.prefix(6).joined(separator: ", ") + " and \(names.count - 6) more"
  }
}
