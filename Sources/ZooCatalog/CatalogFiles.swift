import Foundation
import ZooCheckpoint
import ZooGraph

/// The data files: those packed into the program, and folders laid over them.
///
/// A file of an overlay stands for the packed file of the same path; of two overlays the later one counts.
struct CatalogFiles: Sendable {
  private enum Place: Sendable {
    case packed(Int)
    case file(String)
  }

  private static let folders = ["zoo", "converters", "checksums"]
  private var places: [String: Place] = [:]

  /// - Throws: ``CatalogError/noCatalog(folder:)`` where an overlay holds none of the three folders.
  init(overlays: [String] = []) throws {
    for (index, file) in packedCatalog.enumerated() { places[file.path] = .packed(index) }
    for overlay in overlays {
      var isCatalog = false
      for folder in Self.folders {
        let start = overlay + "/" + folder
        guard FileManager.default.fileExists(atPath: start), let walk = FileManager.default.enumerator(atPath: start)
        else { continue }
        isCatalog = true
        while let path = walk.nextObject() as? String {
          guard walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular else { continue }
          places["\(folder)/\(path)"] = .file("\(overlay)/\(folder)/\(path)")
        }
      }
      guard isCatalog else { throw CatalogError.noCatalog(folder: overlay) }
    }
  }

  /// Paths of the JSON data files under a folder, schemas left out, sorted.
  func paths(under folder: String) -> [String] {
    places.keys.filter {
      $0.hasPrefix(folder + "/") && $0.hasSuffix(".json") && !$0.hasSuffix(".schema.json")
    }.sorted()
  }

  /// The bytes of a file; nil where there is none of that path.
  func contents(of path: String) throws -> Data? {
    switch places[path] {
    case nil: return nil
    case .packed(let index):
      let file = packedCatalog[index]
      guard file.isBase64 else { return Data(file.text.utf8) }
      return Data(base64Encoded: file.text)
    case .file(let name):
      let mapped = try MappedFile(path: name)
      return try mapped.withBytes(offset: 0, count: mapped.count) { Data($0) }
    }
  }

  /// Whether a file is the user's own; what is inside the program was tested before.
  func isOverlaid(_ path: String) -> Bool {
    if case .file = places[path] { true } else { false }
  }

  /// The file as a person would look for it.
  func displayName(of path: String) -> String {
    if case .file(let name) = places[path] { name } else { path }
  }

  /// - Throws: ``CatalogError/badFile(file:problem:)``, ``FileError``.
  func decode<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
    guard let data = try contents(of: path) else {
      throw CatalogError.badFile(file: path, problem: "is not in the catalogue")
    }
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch let error as DecodingError {
      throw CatalogError.badFile(file: displayName(of: path), problem: error.oneLine)
    }
  }
}
