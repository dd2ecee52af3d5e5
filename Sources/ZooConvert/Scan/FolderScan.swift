import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooFormats

/// Files and folders scanned one by one.
public struct FolderScan: Sendable {
  /// What a pipeline does with the result.
  public enum Outcome: Sendable, Equatable {
    case clean
    /// At least one file is suspicious, dangerous or malformed.
    case found
    /// Nothing was found, but a file could not be looked into.
    case unreadable(ErrorReport.Kind)
  }

  public private(set) var outcome = Outcome.clean
  public private(set) var scanned = 0
  private let catalog: Catalog
  private static let mostFiles = 1_000_000

  public init(catalog: Catalog) { self.catalog = catalog }

  /// Scans a file, or a folder with all that is in it, and hands each result over at once.
  ///
  /// In a folder, files that are neither weights nor bring code along are passed over; links are not followed.
  public mutating func scan(_ path: String, _ each: (FileScan) -> Void) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      return scanFolder(path, each)
    }
    if let companion = FileScan(companion: path) {
      take(companion, each)
      guard Self.isIndex(path) else { return }
    }
    take(FileScan(path: path, catalog: catalog), each)
  }

  private mutating func scanFolder(_ folder: String, _ each: (FileScan) -> Void) {
    let names = FileManager.default.enumerator(atPath: folder)?.lazy.compactMap { $0 as? String }.prefix(Self.mostFiles)
    for name in names.map(Array.init)?.sorted() ?? [] {
      let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
      var status = stat()
      // A cache of downloads is all links; what they lead to is what would be loaded.
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { continue }
      if let companion = FileScan(companion: path) {
        take(companion, each)
        guard Self.isIndex(name) else { continue }
      }
      let result = FileScan(path: path, catalog: catalog)
      if result.format == nil && !Self.claimsWeights(name) && result.verdict == .unreadable { continue }
      if result.format == WeightFormat.shardIndex.displayName, !Self.isIndex(name) { continue }
      take(result, each)
    }
  }

  private mutating func take(_ result: FileScan, _ each: (FileScan) -> Void) {
    scanned += 1
    each(result)
    switch result.verdict {
    case .clean: break
    case .unreadable: if outcome == .clean { outcome = .unreadable(result.code ?? .badData) }
    case .suspicious, .malformed, .dangerous: outcome = .found
    }
  }

  private static func isIndex(_ name: String) -> Bool { name.hasSuffix(".index.json") }

  private static let weightExtensions: Set = [
    "pth", "pt", "bin", "ckpt", "tar", "pkl", "pickle", "safetensors", "h5", "hdf5", "keras", "onnx", "npy", "npz",
    "gguf",
  ]

  private static func claimsWeights(_ name: String) -> Bool {
    weightExtensions.contains((name as NSString).pathExtension.lowercased())
  }
}
