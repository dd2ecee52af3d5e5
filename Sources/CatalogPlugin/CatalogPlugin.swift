import Foundation
import PackagePlugin

/// Packs `zoo/`, `converters/` and `checksums/` into one Swift source file, so that the program works when copied alone.
///
/// SwiftPM plans a plugin's inputs once; it neither sees files that are added later nor stands the loss of one. So the
/// only declared input is a mark that the packer changes whenever it runs, which has it run in every build. It takes
/// milliseconds and leaves its output alone where nothing changed.
@main struct CatalogPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let output = context.pluginWorkDirectoryURL.appending(path: "PackedCatalog.swift")
    let mark = context.pluginWorkDirectoryURL.appending(path: "packed.mark")
    if !FileManager.default.fileExists(atPath: mark.path) { try Data("never".utf8).write(to: mark) }
    return [
      .buildCommand(
        displayName: "Packing the catalogue", executable: try context.tool(named: "catalog-packer").url,
        arguments: [context.package.directoryURL.path, output.path, mark.path], inputFiles: [mark],
        outputFiles: [output])
    ]
  }
}
