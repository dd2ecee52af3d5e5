import Foundation
import ZooCheckpoint
import ZooGraph

/// All the models known: those built in, and those of folders laid over them.
public struct Catalog: Sendable {
  /// Sorted by family, then by cost.
  public let models: [Model]
  /// Name maps of foreign namings.
  public let nameMaps: [NameMap]
  /// Digests of published files.
  public let publishedFiles: [PublishedFile]
  private let files: CatalogFiles
  let candidates = Candidates()

  /// The catalogue inside the program, the user's own in `$XDG_DATA_HOME/zoo` and `overlays`, later ones first.
  ///
  /// - Parameter overlays: folders that hold `zoo`, `converters` or `checksums`.
  /// - Throws: ``CatalogError``, ``FileError``.
  public static func standard(overlays: [String] = []) throws -> Catalog {
    let user = DataFolder.path(environment: ProcessInfo.processInfo.environment)
    let hasOwn = ["zoo", "converters", "checksums"].contains {
      FileManager.default.fileExists(atPath: "\(user)/\($0)")
    }
    return try Catalog(overlays: (hasOwn ? [user] : []) + overlays)
  }

  /// The catalogue inside the program with the given folders laid over it.
  public init(overlays: [String]) throws {
    let files = try CatalogFiles(overlays: overlays)
    models = try Self.models(files)
    nameMaps = try files.paths(under: "converters").concurrentMap { path in
      Result { try NameMap(files.decode(NameMapFile.self, path), file: files.displayName(of: path)) }
    }.map { try $0.get() }
    publishedFiles = try files.paths(under: "checksums").flatMap { path in
      try files.decode(ChecksumFile.self, path).publishedFiles
    }
    self.files = files
  }

  private static func models(_ files: CatalogFiles) throws -> [Model] {
    var labels: [String: [String]] = ["": []]
    var byName: [String: Model] = [:]
    let paths = files.paths(under: "zoo").filter { !$0.hasPrefix("zoo/labels/") && !$0.hasPrefix("zoo/demo/") }
    let decoded = paths.concurrentMap { path in Result { try files.decode(ModelFile.self, path) } }
    for (path, result) in zip(paths, decoded) {
      let file = try result.get()
      if files.isOverlaid(path) { try file.checkTask(file: files.displayName(of: path)) }
      let list = file.labels ?? ""
      if labels[list] == nil { labels[list] = try files.decode([String].self, "zoo/labels/\(list).json") }
      byName[file.name] = file.model(labels: labels[list] ?? [])
    }
    return byName.values.sorted { ($0.family, $0.gflops, $0.name) < ($1.family, $1.gflops, $1.name) }
  }

  /// - Throws: ``CatalogError/unknownModel(name:nearest:)``.
  public func model(named name: String) throws(CatalogError) -> Model {
    if let model = models.first(where: { $0.name == name }) { return model }
    throw .unknownModel(name: name, nearest: nearest(to: name))
  }

  /// The models whose name matches and that do a task, in the catalogue's order.
  ///
  /// - Parameters:
  ///   - pattern: a shell pattern such as `resnet*`; without `*`, `?` and `[` any part of the name. nil: all.
  ///   - task: such as `image-classification`; nil: all.
  /// - Throws: ``CatalogError/noMatch(pattern:task:tasks:)`` where there is none.
  public func models(matching pattern: String?, task: String? = nil) throws(CatalogError) -> [Model] {
    let found = models.filter { model in
      (task ?? model.task) == model.task && (pattern.map { model.name.matches(shellPattern: $0) } ?? true)
    }
    guard !found.isEmpty else {
      throw .noMatch(pattern: pattern, task: task, tasks: Set(models.map(\.task)).sorted())
    }
    return found
  }

  /// The network that a checkpoint's `zoo.config` describes, whether its model is in the catalogue or not.
  ///
  /// - Throws: ``CatalogError/badDescription(problem:)``, ``FamilyError``.
  public static func graph(forConfig json: String) throws -> Graph {
    try NetworkDescription(json: json).graph()
  }

  /// A data file that is not a model, such as `zoo/demo/network.safetensors`; nil where there is none.
  public func contents(of path: String) throws -> [UInt8]? { try files.contents(of: path).map { [UInt8]($0) } }

  /// What the folders of a data set's classes are called where they don't have the classes' names, out of
  /// `zoo/labels/folders`: ImageNet's are named for WordNet's synsets. Empty where that folder has nothing for the labels.
  public func folderNames(forLabels labels: [String]) throws -> [String: Int] {
    for path in files.paths(under: "zoo/labels/folders") {
      let list = path.replacingOccurrences(of: "zoo/labels/folders/", with: "zoo/labels/")
      guard labels == (try files.decode([String].self, list)) else { continue }
      let names = try files.decode([String].self, path)
      return Dictionary(zip(names, names.indices)) { first, _ in first }
    }
    return [:]
  }

  /// Up to three models with the fewest edits from `name`.
  private func nearest(to name: String) -> [String] {
    let wanted = Array(name.lowercased().utf8)
    guard wanted.count <= 64 else { return [] }
    return models.map { ($0.name, editDistance(wanted, Array($0.name.utf8))) }
      .filter { $0.1 <= max(2, wanted.count / 3) }
      .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
      .prefix(3).map { $0.0 }
  }
}

extension String {
  /// Whether the text matches a shell pattern; without `*`, `?` and `[` the pattern is any part of it.
  public func matches(shellPattern pattern: String) -> Bool {
    guard pattern.contains(where: { "*?[".contains($0) }) else { return contains(pattern.lowercased()) }
    return fnmatch(pattern.lowercased(), self, 0) == 0
  }
}

/// Insertions, deletions and replacements between two names (Levenshtein).
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let above = row[j + 1]
      row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
      diagonal = above
    }
  }
  return row[b.count]
}
