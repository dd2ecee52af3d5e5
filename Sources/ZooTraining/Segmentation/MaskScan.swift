import ZooCheckpoint
import ZooVision

/// What masks hold, looked at once before anything is learnt: every one is read and held to its picture.
struct MaskScan {
  /// Of a picture and its mask.
  struct Found {
    let example: MaskedExample
    /// Pixels of each number from 0 to 255.
    let counts: [Int]
  }

  private(set) var found: [Found] = []
  private(set) var skipped: [SkippedPicture] = []

  private static let batch = 32

  /// - Parameter progress: called with the pictures done.
  /// - Throws: ``MaskDataError/size(mask:width:height:pictureWidth:pictureHeight:)``, and `PictureError` or `FileError`
  ///   for a mask that can't be read; a picture that can't be is left out.
  init(_ pairs: [MaskLayout.Pair], progress: (Int) -> Void) throws {
    for start in stride(from: 0, to: pairs.count, by: Self.batch) {
      progress(start)
      let part = Array(pairs[start..<min(start + Self.batch, pairs.count)])
      for (pair, result) in zip(part, part.concurrentMap { pair in Result { try Self.look(at: pair) } }) {
        do {
          found.append(try result.get())
        } catch let broken as BrokenPicture {
          skipped.append(SkippedPicture(name: pair.name, reason: broken.reason))
        }
      }
    }
    progress(pairs.count)
  }

  init(_ found: [Found]) { self.found = found }

  private struct BrokenPicture: Error { let reason: String }

  private static func look(at pair: MaskLayout.Pair) throws -> Found {
    let mask = try ClassMask.decode(path: pair.maskPath)
    let picture: Picture
    do {
      picture = try Picture.decode(path: pair.path)
    } catch let error as any ReportableError {
      throw BrokenPicture(reason: error.report.problem)
    }
    guard picture.width == mask.width, picture.height == mask.height else {
      throw MaskDataError.size(
        mask: pair.maskPath, width: mask.width, height: mask.height, pictureWidth: picture.width,
        pictureHeight: picture.height)
    }
    return Found(
      example: MaskedExample(
        path: pair.path, maskPath: pair.maskPath, name: pair.name, digest: digest(pair.path),
        maskDigest: digest(pair.maskPath)), counts: mask.counts)
  }

  private static func digest(_ path: String) -> String? { try? Digest.sha256(of: MappedFile(path: path)) }

  /// The highest class of all masks; nil where they are ignored everywhere.
  var highest: Int? { found.compactMap { one in (0..<255).last { one.counts[$0] > 0 } }.max() }

  /// - Throws: ``MaskDataError/unknownClass(mask:x:y:number:classes:)`` where a mask holds another number than 0 to
  ///   `classes` - 1 and 255.
  func check(classes: Int) throws {
    for one in found {
      guard let number = (classes..<max(255, classes)).first(where: { one.counts[$0] > 0 }) else { continue }
      let mask = try ClassMask.decode(path: one.example.maskPath)
      let place = mask.classes.firstIndex(of: UInt8(number)) ?? 0
      throw MaskDataError.unknownClass(
        mask: one.example.maskPath, x: place % mask.width, y: place / mask.width, number: number, classes: classes)
    }
  }

  /// Pixels of each class.
  func pixels(classes: Int) -> [Int] {
    found.reduce(into: [Int](repeating: 0, count: classes)) { sum, one in
      for number in 0..<classes { sum[number] += one.counts[number] }
    }
  }

  /// Pictures that show each class.
  func pictures(classes: Int) -> [Int] { (0..<classes).map { number in found.count { $0.counts[number] > 0 } } }
}
