import Foundation
import ZooCatalog
import ZooCheckpoint

/// Writes weights of any readable format for another framework.
public struct Export: Sendable {
  public var target: ExportTarget
  public var catalog: Catalog
  public var options = ExportOptions()

  public init(to target: ExportTarget, catalog: Catalog) {
    self.target = target
    self.catalog = catalog
  }

  public struct Outcome: Sendable {
    public let source: ExportSource
    public let written: ExportedFile
  }

  /// Exports `path`; the output appears whole or not at all.
  ///
  /// - Throws: ``ExportError``, `FileError`, and what opening the file throws.
  public func run(_ path: String, to output: String) throws -> Outcome {
    guard let exporter = target.exporter else { throw ExportError.targetNotWritten(target: target) }
    func resolved(_ path: String) -> String { URL(filePath: path).resolvingSymlinksInPath().path }
    guard resolved(path) != resolved(output) else { throw ExportError.outputIsInput(file: output) }
    if !options.overwrite, FileManager.default.fileExists(atPath: output) { throw FileError.exists(file: output) }
    let source = try ExportSource(path: path, catalog: catalog)
    return Outcome(source: source, written: try exporter.write(source, to: output, options: options))
  }

  /// Where the file goes unless said otherwise: beside the source, with its stem.
  public func defaultOutput(for path: String) -> String {
    var stem = path
    while stem.hasSuffix("/"), stem.count > 1 { stem.removeLast() }
    for suffix in [".index.json", ".pth.tar", ".tar", ".weights.h5"] where stem.hasSuffix(suffix) {
      stem.removeLast(suffix.count)
      return stem + target.fileExtension
    }
    let url = URL(filePath: stem)
    var isFolder: ObjCBool = false
    let isFile = FileManager.default.fileExists(atPath: stem, isDirectory: &isFolder) && !isFolder.boolValue
    let base =
      isFile && !url.pathExtension.isEmpty ? String(stem.dropLast(url.pathExtension.utf8.count + 1)) : stem
    return base + target.fileExtension
  }
}
