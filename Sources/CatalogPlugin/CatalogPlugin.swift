import Foundation
import PackagePlugin

/// Packs `zoo/`, `converters/` and `checksums/` into one Swift source file, so that the program works when copied alone.
@main struct CatalogPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let root = context.package.directoryURL
    let folders = ["zoo", "converters", "checksums"]
    let inputs = folders.flatMap { files(under: root.appending(path: $0)) }
    let output = context.pluginWorkDirectoryURL.appending(path: "PackedCatalog.swift")
    return [
      .buildCommand(
        displayName: "Packing the catalogue", executable: try context.tool(named: "catalog-packer").url,
        arguments: [root.path, output.path], inputFiles: inputs, outputFiles: [output])
    ]
  }

  private func files(under folder: URL) -> [URL] {
    let walk = FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: [.isRegularFileKey], options: [.skipsHiddenFiles])
    return (walk?.allObjects as? [URL] ?? [])
      .filter { (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true }
      .sorted { $0.path < $1.path }
  }
}
