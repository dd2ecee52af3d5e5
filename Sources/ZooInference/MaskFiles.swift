import Foundation
import ZooCheckpoint
import ZooVision

/// Names for the masks of one run: a picture whose name another had before, in another folder or of another format, gets
/// a number.
public struct MaskNames {
  private let folder: String
  private var taken: Set<String> = []

  public init(folder: String) { self.folder = folder }

  public mutating func next(for picture: String) -> MaskFiles {
    let stem = URL(filePath: picture).deletingPathExtension().lastPathComponent
    var name = stem
    var number = 1
    while !taken.insert(name).inserted {
      number += 1
      name = "\(stem)-\(number)"
    }
    return MaskFiles(stem: name, in: folder)
  }
}

/// Where the pictures of a segmentation go: beside each other in one folder, named for the picture.
public struct MaskFiles: Sendable {
  /// Indexed by class, coloured with ``ClassMask/palette``.
  public let mask: String
  /// The picture with the classes' colours over it.
  public let overlay: String

  /// - Parameter folder: made where it doesn't exist.
  init(stem: String, in folder: String) {
    mask = URL(filePath: folder).appending(path: stem + ".mask.png").path
    overlay = URL(filePath: folder).appending(path: stem + ".overlay.png").path
  }

  /// Writes both, each whole or not at all.
  ///
  /// - Throws: `FileError`.
  public func write(_ segmentation: Segmentation, of picture: Picture, overwrite: Bool) throws {
    try Folder.make(URL(filePath: mask).deletingLastPathComponent().path)
    for path in [mask, overlay] where !overwrite && FileManager.default.fileExists(atPath: path) {
      throw FileError.exists(file: path)
    }
    try write(PNGEncoder.encode(segmentation.mask), to: mask, overwrite: overwrite)
    try write(PNGEncoder.encode(segmentation.mask.laid(over: picture)), to: overlay, overwrite: overwrite)
  }

  private func write(_ bytes: [UInt8], to path: String, overwrite: Bool) throws {
    guard !bytes.isEmpty else { throw FileError.system(file: path, operation: "encode", code: ENOMEM) }
    let file = try AtomicFile(path: path, overwrite: overwrite)
    try bytes.withUnsafeBytes { try file.write($0) }
    try file.commit()
  }
}
