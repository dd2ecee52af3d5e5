import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooONNX

/// Two files' tensors under names that can be compared.
public struct ComparablePair: Sendable {
  public let first: StateDict
  public let second: StateDict
  /// What was renamed, in words; nil where the names are compared as they stand.
  public let renaming: String?

  /// Where both are the same model of the catalogue in different namings, both get its own names and layouts.
  ///
  /// - Throws: `CatalogError`, `TensorError`.
  public init(_ first: WeightFile, _ second: WeightFile, catalog: Catalog) throws {
    if Set(first.stateDict.names) != Set(second.stateDict.names),
      let one = catalog.identify(first).certain, let other = catalog.identify(second).certain,
      one.model.name == other.model.name, one.naming != other.naming, one.isFolded == other.isFolded
    {
      self.first = try Self.parameters(one, first)
      self.second = try Self.parameters(other, second)
      renaming =
        "\(one.model.name): \(one.naming) names against \(other.naming) names, compared as \(one.model.naming)'s"
    } else {
      self.first = Self.everything(first)
      self.second = Self.everything(second)
      renaming = nil
    }
  }

  /// The weights and what a checkpoint carries beside them.
  private static func everything(_ file: WeightFile) -> StateDict {
    var stateDict = file.stateDict
    for side in file.sides where side.isCarried { stateDict.tensors.merge(side.tensors.tensors) { first, _ in first } }
    return stateDict
  }

  /// Without counts of training steps and indices, which only some namings have.
  private static func parameters(_ identification: Identification, _ file: WeightFile) throws -> StateDict {
    var stateDict = try identification.canonical(file.stateDict)
    for name in try identification.description.graph().integerBuffers { stateDict[name] = nil }
    return stateDict
  }
}
