import Foundation
import ZooCheckpoint

/// Where pictures and their masks lie, of which each has the name of its picture; the layouts that are usual.
///
/// - `images/` and `masks/` (`labels`, `annotations`), each perhaps with `train/` and `val/` in it;
/// - `train/` and `val/`, each with such folders;
/// - Pascal VOC's `JPEGImages/` and `SegmentationClass/`, with the names listed in `ImageSets/Segmentation/train.txt` and
///   `val.txt`;
/// - a table with the columns `path`, `mask` and perhaps `split`, or a folder with such a `metadata.jsonl`.
struct MaskLayout {
  struct Pair {
    let path: String
    let maskPath: String
    let name: String
  }

  let training: [Pair]
  /// nil where nothing says which they are.
  let validation: [Pair]?

  private static let pictureFolders = ["images", "image", "imgs", "JPEGImages"]
  private static let maskFolders = ["masks", "mask", "labels", "annotations", "SegmentationClass"]
  private static let trainingNames = ["train", "training"]
  private static let validationNames = ["val", "validation", "valid"]
  private static let maskColumns = ["mask", "mask_path", "mask_file_name", "segmentation"]

  /// Whether it looks like pictures with masks: a folder in one of the layouts, or a table with a column of masks.
  static func isAt(_ path: String) -> Bool {
    if let table = table(path) {
      return (try? Table(path: table)).map { table in maskColumns.contains(where: table.columns.contains) } ?? false
    }
    return ([path] + trainingNames.map { "\(path)/\($0)" }).contains { folders(in: $0) != nil }
  }

  /// - Throws: ``MaskDataError``, ``TableError``, ``DataError``, `FileError`.
  init(path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { throw FileError.notFound(file: path) }
    if let table = Self.table(path) {
      (training, validation) = try Self.rows(of: table)
    } else if let (train, other) = Self.division(of: path) {
      training = try Self.pairs(train, base: path)
      validation = try other.map { try Self.pairs($0, base: path) }
    } else if let folders = Self.folders(in: path) {
      (training, validation) = try Self.divided(folders, base: path)
    } else {
      throw MaskDataError.noMasks(folder: path)
    }
    guard !training.isEmpty else { throw MaskDataError.noPictures(folder: path) }
  }

  private typealias Folders = (pictures: String, masks: String)

  private static func table(_ path: String) -> String? {
    if FileManager.default.isFolder(path) { return PictureTable.metadata(in: path) }
    return Table.extensions.contains(URL(filePath: path).pathExtension.lowercased()) ? path : nil
  }

  private static func folders(in folder: String) -> Folders? {
    func first(_ names: [String]) -> String? {
      names.map { "\(folder)/\($0)" }.first { FileManager.default.isFolder($0) }
    }
    guard let pictures = first(pictureFolders), let masks = first(maskFolders) else { return nil }
    return (pictures, masks)
  }

  /// `train` and, where it is there, `val`.
  private static func division(
    of base: String
  ) -> (train: Folders, other: Folders?)? {
    func first(_ names: [String]) -> Folders? { names.lazy.compactMap { folders(in: "\(base)/\($0)") }.first }
    guard let train = first(trainingNames) else { return nil }
    return (train, first(validationNames))
  }

  /// `images/` and `masks/`, as lists or folders in both divide them.
  private static func divided(_ folders: Folders, base: String) throws -> (training: [Pair], validation: [Pair]?) {
    let lists = base + "/ImageSets/Segmentation"
    if let train = try names(listedIn: lists + "/train.txt") {
      let other = try names(listedIn: lists + "/val.txt")
      return (
        try pairs(folders, base: base, among: train), try other.map { try pairs(folders, base: base, among: $0) }
      )
    }
    func inBoth(_ name: String) -> Folders? {
      let found = (pictures: "\(folders.pictures)/\(name)", masks: "\(folders.masks)/\(name)")
      return FileManager.default.isFolder(found.pictures) && FileManager.default.isFolder(found.masks) ? found : nil
    }
    if let train = trainingNames.lazy.compactMap(inBoth).first {
      let other = validationNames.lazy.compactMap(inBoth).first
      return (try pairs(train, base: base), try other.map { try pairs($0, base: base) })
    }
    return (try pairs(folders, base: base), nil)
  }

  private static func names(listedIn path: String) throws -> Set<String>? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let text = String(decoding: try Table.text(of: path), as: UTF8.self)
    return Set(text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) })
  }

  /// Every picture with its mask.
  ///
  /// - Parameter listed: names without their endings, which alone are taken; nil takes all, and then nothing may be alone.
  private static func pairs(_ folders: Folders, base: String, among listed: Set<String>? = nil) throws -> [Pair] {
    var masks: [String: String] = [:]
    for mask in ClassFolders.files(in: folders.masks) { masks[stem(mask)] = mask }
    var used: Set<String> = []
    var pairs: [Pair] = []
    let prefix = folders.pictures.dropFirst(base.count + 1)
    for picture in ClassFolders.files(in: folders.pictures) {
      let name = stem(picture)
      if let listed, !listed.contains(name) { continue }
      guard let key = [name, name + "_mask"].first(where: { masks[$0] != nil }), let mask = masks[key] else {
        throw MaskDataError.missingMask(picture: "\(folders.pictures)/\(picture)", folder: folders.masks)
      }
      used.insert(key)
      pairs.append(
        Pair(
          path: "\(folders.pictures)/\(picture)", maskPath: "\(folders.masks)/\(mask)", name: "\(prefix)/\(picture)"))
    }
    if listed == nil, let alone = masks.keys.filter({ !used.contains($0) }).min(), let mask = masks[alone] {
      throw MaskDataError.missingPicture(mask: "\(folders.masks)/\(mask)", folder: folders.pictures)
    }
    let found = Set(pairs.map { stem(String($0.name.dropFirst(prefix.count + 1))) })
    if let alone = listed?.subtracting(found).filter({ !$0.isEmpty }).min() {
      throw MaskDataError.missingPicture(mask: "\(folders.masks)/\(alone).png", folder: folders.pictures)
    }
    return pairs
  }

  private static func stem(_ name: String) -> String { (name as NSString).deletingPathExtension }

  private static func rows(of path: String) throws -> (training: [Pair], validation: [Pair]?) {
    let table = try Table(path: path)
    let folder = URL(filePath: path).deletingLastPathComponent().path
    let names = try table.values(of: table.column(among: PictureTable.pathColumns))
    let masks = try table.values(of: table.column(among: maskColumns))
    let parts = try table.columns.contains("split") ? table.values(of: "split") : nil
    func whole(_ name: String) -> String { name.hasPrefix("/") ? name : "\(folder)/\(name)" }
    var (training, validation): ([Pair], [Pair]) = ([], [])
    for (index, record) in table.records.enumerated() {
      let pair = Pair(path: whole(names[index]), maskPath: whole(masks[index]), name: names[index])
      guard FileManager.default.fileExists(atPath: pair.path) else { throw FileError.notFound(file: pair.path) }
      guard FileManager.default.fileExists(atPath: pair.maskPath) else {
        throw FileError.notFound(file: pair.maskPath)
      }
      switch try parts.map({ try PictureTable.part($0[index], file: path, line: record.line) }) {
      case .training, nil: training.append(pair)
      case .validation: validation.append(pair)
      case .neither: break
      }
    }
    return (training, validation.isEmpty ? nil : validation)
  }
}
