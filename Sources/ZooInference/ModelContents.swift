import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooGraph
import ZooONNX

/// A model opened from a file, by what it reads.
public enum OpenedModel: Sendable {
  case picture(LoadedModel)
  case text(TextModel)

  /// A model by path or, where no such file exists, by catalogue name from the store.
  ///
  /// - Throws: ``ModelError``, `CatalogError`, `TokenizerError`, and what opening the file throws.
  public static func find(_ model: String, catalog: Catalog) throws -> OpenedModel {
    try OpenedModel(WeightFile.open(path: LoadedModel.path(of: model, catalog: catalog)), catalog: catalog)
  }

  init(_ source: WeightFile, catalog: Catalog?) throws {
    let contents = try ModelContents(source, catalog: catalog)
    self = try contents.task.isVision ? .picture(LoadedModel(contents)) : .text(TextModel(contents))
  }
}

/// What a file of weights holds: a canonical checkpoint says it, any other file is identified.
struct ModelContents {
  let source: WeightFile
  let path: String
  /// Catalogue name; nil for a network outside the catalogue.
  let name: String?
  let description: NetworkDescription
  let task: NetworkTask
  /// Under canonical names.
  let stateDict: StateDict
  let metadata: CheckpointMetadata

  /// - Throws: ``ModelError``, and what reading the file throws.
  init(_ source: WeightFile, catalog: Catalog?) throws {
    self.source = source
    path = source.sourceFile
    var metadata = CheckpointMetadata(source.metadata)
    if let config = metadata.config {
      stateDict = source.stateDict
      description = try NetworkDescription(json: config)
      name = metadata.model
    } else {
      let identifications = try (catalog ?? Catalog.standard()).identify(source)
      guard let found = identifications.certain, let classes = try Self.classes(of: found) else {
        throw ModelError.notIdentified(file: source.path, nearest: identifications.first?.model.name)
      }
      stateDict = try found.canonical(source.stateDict)
      description = found.description
      name = found.model.name
      metadata.model = found.model.name
      metadata.config = description.json
      if metadata.labels?.count != classes {
        metadata.labels = classes == found.model.classes ? found.model.labels : nil
      }
      metadata.input = metadata.input ?? found.ownInput ?? found.input
    }
    self.metadata = metadata
    task = try description.task()
  }

  /// nil for a network whose last layer is missing; the model's own number where it has no layer for classes.
  private static func classes(of found: Identification) throws -> Int? {
    if let classes = found.classes { return classes }
    return try found.description.graph().headModule == nil && !found.isHeadless ? found.model.classes : nil
  }
}
