import Foundation
import ZooCheckpoint
import ZooVision

/// Writes drawn pictures as class folders, the way people keep their own: `train/heart/000.png`.
public enum ShapePictures {
  /// - Throws: `FileError`.
  public static func write(
    _ kinds: [ShapeKind], training: Int, validation: Int, seed: UInt64, to folder: String
  ) throws {
    for (part, count, offset) in [("train", training, 0), ("val", validation, 1_000_000)] {
      for kind in kinds {
        let place = "\(folder)/\(part)/\(kind.rawValue)"
        try Folder.make(place)
        for index in 0..<count {
          let number = (ShapeKind.allCases.firstIndex(of: kind) ?? 0) * 10_000 + offset + index
          var random = SeededGenerator(seed: seed, number)
          let name = String(repeating: "0", count: max(0, 4 - "\(index)".count)) + "\(index)"
          try write(PNGEncoder.encode(ShapePainter.draw(kind, random: &random)), to: "\(place)/\(name).png")
        }
      }
    }
  }

  /// Without bringing it to the disk at once: a lost picture is drawn again.
  private static func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "wb") else { throw FileError.system(file: path, operation: "create", code: errno) }
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else {
      throw FileError.system(file: path, operation: "write", code: errno)
    }
  }
}
