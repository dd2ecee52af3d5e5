import Foundation
import ZooCheckpoint
import ZooVision

/// Drawn pictures with masks: a blue or red square on a gray ground of noise, classes 1 and 2 on 0, with an ignored edge.
public struct DrawnMasks {
  public let folder: String

  public init(folder: String) { self.folder = folder }

  /// Writes `images/` and `masks/` of so many pictures.
  public func write(_ count: Int, from first: Int = 0, width: Int = 40, height: Int = 32) throws {
    for name in ["images", "masks"] {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    for number in first..<first + count {
      var random = SeededGenerator(seed: 7, number)
      let (side, label) = (10 + Int(random.next() % 8), UInt8(1 + number % 2))
      let left = Int(random.next() % UInt64(width - side))
      let top = Int(random.next() % UInt64(height - side))
      var (pixels, classes): ([UInt8], [UInt8]) = ([], [])
      for y in 0..<height {
        for x in 0..<width {
          let isInside = left..<left + side ~= x && top..<top + side ~= y
          let noise = UInt8(random.next() % 60)
          pixels += isInside ? [label == 2 ? 200 : noise, noise, label == 1 ? 200 : noise] : [90 + noise, 90, 90]
          classes.append(x == 0 ? 255 : isInside ? label : 0)
        }
      }
      try save(Picture(width: width, height: height, pixels: pixels), "images/\(number).png")
      try save(ClassMask(width: width, height: height, classes: classes), "masks/\(number).png")
    }
  }

  public func save(_ picture: Picture, _ name: String) throws {
    try Data(PNGEncoder.encode(picture)).write(to: URL(filePath: "\(folder)/\(name)"))
  }

  public func save(_ mask: ClassMask, _ name: String) throws {
    try Data(PNGEncoder.encode(mask)).write(to: URL(filePath: "\(folder)/\(name)"))
  }

  public func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
  }

  public func move(_ from: String, _ to: String) throws {
    let target = "\(folder)/\(to)"
    try FileManager.default.createDirectory(
      atPath: URL(filePath: target).deletingLastPathComponent().path, withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: "\(folder)/\(from)", toPath: target)
  }

  public func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
}
