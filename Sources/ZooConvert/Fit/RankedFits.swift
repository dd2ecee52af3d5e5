import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooONNX

/// The models of the catalogue that a weight file may be, best first, with what keeps it from being each.
public struct RankedFits: Sendable, Encodable, Equatable {
  public struct Fit: Sendable, Encodable, Equatable {
    public let model: String
    /// Whose tensor names the file uses.
    public let naming: String
    /// Whether every tensor fits, or all but those of the last stages, which the file lacks.
    public let fits: Bool
    public let lacksHead: Bool
    /// Outputs of the classifier; nil where the file has none.
    public let classes: Int?
    /// Tensors that fit, as a share of those expected and those extra together.
    public let score: Double
    public let missing: Difference
    public let extra: Difference
    public let misshapen: Difference
    /// What makes it another network though its tensors fit, in words.
    public let differences: [String]
    /// What the publisher's network has otherwise than the model: `epsilon 1e-12`.
    public let settings: [String]
    /// Networks of other computations that have the same names.
    public let caution: String?
  }
  /// Tensors that stand in the way.
  public struct Difference: Sendable, Encodable, Equatable {
    public let count: Int
    /// The first few, with their shapes where those differ.
    public let examples: [String]
  }
  /// Tensors named of each kind.
  private static let shown = 3

  public let file: String
  public let format: String
  public let tensors: Int
  public let fits: [Fit]

  /// Whether any model fits.
  public var isKnown: Bool { fits.contains(where: \.fits) }

  /// - Parameter limit: models that are named at most.
  /// - Throws: what opening the file throws.
  public init(path: String, catalog: Catalog, limit: Int) throws {
    // Nothing of it is run or written, so that it is looked at whatever it would do.
    let source = try WeightFile.open(path: path, salvage: true)
    file = path
    format = source.format.displayName
    tensors = source.stateDict.count
    fits = catalog.identify(source).prefix(limit).map { found in
      Fit(
        model: found.model.name, naming: found.naming, fits: found.isExact || found.isHeadless,
        lacksHead: found.isHeadless, classes: found.classes, score: found.score,
        missing: Self.difference(found.missing), extra: Self.difference(found.extra),
        misshapen: Self.difference(found.misshapen.map { "\($0.name) \($0.found) for \($0.expected)" }),
        differences: found.differences, settings: found.ownSettings, caution: found.caution)
    }
  }

  private static func difference(_ names: [String]) -> Difference {
    Difference(count: names.count, examples: Array(names.prefix(shown)))
  }
}
