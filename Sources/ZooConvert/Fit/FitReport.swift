import ZooCatalog
import ZooCheckpoint
import ZooGraph

/// What keeps weights from being a model's whole: every tensor, grouped by prefix, with the likeliest counterparts.
public struct FitReport: Sendable, Encodable, Equatable {
  public struct Entry: Sendable, Encodable, Equatable {
    public let name: String
    /// Of the model where it is missing, of the file where it is extra or misshapen.
    public let shape: [Int]
    /// Of the model, where the file's is another.
    public let expected: [Int]?
    /// On the other side, best first: names and shapes.
    public let nearest: [Counterpart]
  }
  public struct Counterpart: Sendable, Encodable, Equatable {
    public let name: String
    public let shape: [Int]
  }
  /// Tensors whose names begin alike: `layer4.2`.
  public struct Group: Sendable, Encodable, Equatable {
    public let prefix: String
    public let entries: [Entry]
  }
  /// Pairs of names that are compared; a file of more is no network's with a few names amiss.
  private static let mostPairs = 4 << 20
  public let model: String
  public let naming: String
  /// Tensors that the model has and the file lacks, under the model's names.
  public let missing: [Group]
  /// Tensors that the file has and the model lacks, under the file's names.
  public let extra: [Group]
  public let misshapen: [Group]
  /// What makes it another network though its tensors fit, in words.
  public let differences: [String]

  public var isWhole: Bool { missing.isEmpty && extra.isEmpty && misshapen.isEmpty && differences.isEmpty }

  /// `3 tensors missing, 2 extra`.
  public var summary: String {
    let counts = [(count(\.missing), "missing"), (count(\.extra), "extra"), (count(\.misshapen), "misshapen")]
      .filter { $0.0 > 0 }
    let first = counts.first.map { "\($0.0) \($0.0 == 1 ? "tensor" : "tensors") \($0.1)" }
    let tensors = [first].compactMap(\.self) + counts.dropFirst().map { "\($0.0) \($0.1)" }
    return (tensors + differences).joined(separator: ", ")
  }

  public func count(_ groups: KeyPath<FitReport, [Group]>) -> Int {
    self[keyPath: groups].reduce(0) { $0 + $1.entries.count }
  }

  public init(_ identification: Identification, _ stateDict: StateDict) {
    let parameters = (try? identification.description.graph())?.parameters ?? []
    let shapes = Dictionary(parameters.map { ($0.name, $0.shape) }) { first, _ in first }
    let missing = identification.missing.map { Counterpart(name: $0, shape: shapes[$0] ?? []) }
    let extra = identification.extra.map { Counterpart(name: $0, shape: stateDict[$0]?.shape ?? []) }
    self.init(
      model: identification.model.name, naming: identification.naming, missing: missing, extra: extra,
      misshapen: identification.misshapen.map {
        Entry(name: $0.name, shape: $0.found, expected: $0.expected, nearest: [])
      }, differences: identification.differences)
  }

  init(
    model: String, naming: String, missing: [Counterpart], extra: [Counterpart], misshapen: [Entry],
    differences: [String] = []
  ) {
    self.model = model
    self.naming = naming
    self.differences = differences
    let isModest = missing.count <= Self.mostPairs / max(extra.count, 1)
    let (missingNames, extraNames) = (NearestNames(isModest ? missing : []), NearestNames(isModest ? extra : []))
    self.missing = Self.grouped(
      missing.map { Entry(name: $0.name, shape: $0.shape, expected: nil, nearest: extraNames.nearest(to: $0)) })
    self.extra = Self.grouped(
      extra.map { Entry(name: $0.name, shape: $0.shape, expected: nil, nearest: missingNames.nearest(to: $0)) })
    self.misshapen = Self.grouped(misshapen)
  }

  /// By the first two parts of the name where a leaf is left, in the order of their first members.
  private static func grouped(_ entries: [Entry]) -> [Group] {
    var order: [String] = []
    var groups: [String: [Entry]] = [:]
    for entry in entries {
      let parts = entry.name.split(separator: ".", omittingEmptySubsequences: false)
      let prefix = parts.prefix(min(2, parts.count - 1)).joined(separator: ".")
      if groups[prefix] == nil { order.append(prefix) }
      groups[prefix, default: []].append(entry)
    }
    return order.map { Group(prefix: $0, entries: groups[$0] ?? []) }
  }
}
