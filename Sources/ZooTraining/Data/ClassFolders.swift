import Foundation
import ZooCheckpoint

/// One folder of pictures a class; labels are the folders' names, sorted by their bytes.
public struct ClassFolders: Sendable {
  public let folder: String
  public let labels: [String]
  public let examples: [Example]

  /// Lists the pictures and digests each. Hidden files are left out; folders inside a class count as part of it.
  ///
  /// - Parameters:
  ///   - prefix: stands before the examples' names.
  ///   - known: labels that the folders must be among; nil takes them from the folders.
  ///   - names: other names that folders may have, and the labels that they stand for.
  /// - Throws: ``DataError``, `FileError`.
  public init(folder: String, prefix: String = "", known: [String]? = nil, names: [String: Int] = [:]) throws {
    let found = try Self.classNames(in: folder)
    guard !found.isEmpty else { throw DataError.noClasses(folder: folder) }
    if let known, let stranger = found.first(where: { !known.contains($0) && names[$0] == nil }) {
      throw DataError.unknownClass(folder: folder, name: stranger, known: known)
    }
    if known == nil, found.count == 1 { throw DataError.oneClass(folder: folder, name: found[0]) }
    let labels = known ?? found
    var examples: [Example] = []
    let folders = found.compactMap { name in
      (labels.firstIndex(of: name) ?? names[name]).map { (label: $0, name: name) }
    }
    for (label, name) in folders.sorted(by: { $0.label < $1.label }) {
      let pictures = Self.files(in: folder + "/" + name)
      guard !pictures.isEmpty else { throw DataError.emptyClass(folder: folder, name: name) }
      for picture in pictures {
        let path = "\(folder)/\(name)/\(picture)"
        let digest = try? Digest.sha256(of: MappedFile(path: path))
        examples.append(Example(path: path, name: "\(prefix)\(name)/\(picture)", label: label, digest: digest))
      }
    }
    self.folder = folder
    self.labels = labels
    self.examples = examples
  }

  private static func classNames(in folder: String) throws -> [String] {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory) else {
      throw FileError.notFound(file: folder)
    }
    guard isDirectory.boolValue, let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw DataError.notFolder(folder: folder)
    }
    return names.filter { name in
      var isDirectory: ObjCBool = false
      return !name.hasPrefix(".")
        && FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isDirectory)
        && isDirectory.boolValue
    }.sorted(by: Self.precedes)
  }

  /// Files in a folder and in those inside it, sorted; hidden ones are left out.
  static func files(in folder: String) -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: folder) else { return [] }
    var files: [String] = []
    while let path = walk.nextObject() as? String {
      let isHidden = path.split(separator: "/").contains { $0.hasPrefix(".") }
      if isHidden || walk.fileAttributes?[.type] as? FileAttributeType == .typeDirectory { continue }
      files.append(path)
    }
    return files.sorted(by: Self.precedes)
  }

  /// By bytes, so that the order doesn't depend on the machine's language.
  private static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
