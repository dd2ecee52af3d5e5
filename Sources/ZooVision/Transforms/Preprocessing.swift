import CKernels
import Foundation
import ZooCheckpoint

/// How a network wants its pictures: resize, centre crop, scale to 0…1, normalise. Decodes a checkpoint's `zoo.input`.
///
/// The geometry is torchvision's `Resize(int)` and `CenterCrop`.
public struct Preprocessing: Codable, Sendable, Equatable {
  /// Height and width of the result; see ``size(of:)``.
  public var size: [Int]
  /// The shorter side is resized to this; nil resizes to `size` outright.
  public var resize: Int?
  /// Side of the centre crop; nil for none. A resize without a crop keeps the whole picture, of whatever shape.
  public var crop: Int?
  public var interpolation: Interpolation
  /// Subtracted from values in 0…1, in the order red, green, blue, whatever ``channelOrder`` says.
  public var mean: [Float]
  /// Divided by afterwards.
  public var std: [Float]
  /// `RGB` or `BGR`.
  public var channelOrder: String?

  public init(
    size: [Int], resize: Int?, crop: Int?, interpolation: Interpolation, mean: [Float], std: [Float],
    channelOrder: String? = "RGB"
  ) {
    self.size = size
    self.resize = resize
    self.crop = crop
    self.interpolation = interpolation
    self.mean = mean
    self.std = std
    self.channelOrder = channelOrder
  }

  /// Reads a checkpoint's `zoo.input` or a catalogue model's input.
  ///
  /// - Throws: ``PictureError/badPreprocessing(problem:)``.
  public init(json: String) throws(PictureError) {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(json.utf8))
    } catch {
      throw .badPreprocessing(problem: "is not size, resize, crop, interpolation, mean and std as JSON")
    }
    try check()
  }

  /// Of a whole picture after its resize: one that is a pixel wide would grow without bound.
  private static let mostPixels = 1 << 24

  /// - Throws: ``PictureError/badPreprocessing(problem:)`` where the numbers can't be used.
  public func check() throws(PictureError) {
    let sides = size + [resize, crop].compactMap { $0 }
    guard size.count == 2, sides.allSatisfy({ (1...16384).contains($0) }) else {
      throw .badPreprocessing(problem: "sizes \(sides) must be a height and a width from 1 to 16384")
    }
    guard mean.count == 3, std.count == 3, mean.allSatisfy(\.isFinite), std.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw .badPreprocessing(problem: "mean \(mean) and std \(std) must have three numbers each, std above 0")
    }
    guard ["RGB", "BGR", nil].contains(channelOrder) else {
      throw .badPreprocessing(problem: "channel order \(channelOrder ?? "") is not RGB or BGR")
    }
    guard crop == nil || size == [crop, crop] else {
      throw .badPreprocessing(problem: "crop \(crop ?? 0) doesn't give size \(size)")
    }
  }

  /// Whether pictures of every shape become one of ``size``.
  public var givesOneSize: Bool { resize == nil || crop != nil }

  /// Height and width that a picture gets: ``size``, but where the shorter side is resized and nothing is cropped.
  public func size(of picture: Picture) -> [Int] {
    guard let resize, crop == nil else { return size }
    let resized = resizedSize(of: picture, shorter: resize)
    return [resized.height, resized.width]
  }

  private func resizedSize(of picture: Picture, shorter: Int) -> (width: Int, height: Int) {
    let longer = shorter * max(picture.width, picture.height) / min(picture.width, picture.height)
    return picture.width <= picture.height ? (shorter, longer) : (longer, shorter)
  }

  /// The picture after geometry, before normalisation: of ``size(of:)``.
  ///
  /// - Throws: ``PictureError``.
  public func fitted(_ picture: Picture) throws(PictureError) -> Picture {
    try check()
    guard let resize else { return picture.resized(width: size[1], height: size[0], filter: interpolation) }
    let (width, height) = resizedSize(of: picture, shorter: resize)
    guard crop != nil else {
      guard width * height <= Self.mostPixels else {
        throw .badPreprocessing(
          problem: "a picture of \(picture.width) × \(picture.height) would become \(width) × \(height)")
      }
      return picture.resized(width: width, height: height, filter: interpolation)
    }
    let across = CropSpan(of: width, to: size[1])
    let down = CropSpan(of: height, to: size[0])
    return picture.resized(
      width: width, height: height, columns: across.kept, rows: down.kept, filter: interpolation
    ).padded(left: across.padding, top: down.padding, width: size[1], height: size[0])
  }

  /// Writes [3, height, width] values, of ``size(of:)``.
  ///
  /// - Throws: ``PictureError``.
  public func write(_ picture: Picture, into target: UnsafeMutableBufferPointer<Float>) throws {
    try writeNormalised(fitted(picture), into: target)
  }

  /// The network's input, [3, height, width], for a picture that ``fitted(_:)`` has prepared.
  ///
  /// - Throws: ``PictureError``.
  public func input(ofFitted fitted: Picture) throws -> FloatTensor {
    FloatTensor(shape: [3, fitted.height, fitted.width], values: try normalised(fitted))
  }

  /// [3, height, width] values of a picture that has its size already.
  func normalised(_ fitted: Picture) throws -> [Float] {
    var values = [Float](repeating: 0, count: fitted.pixels.count)
    try values.withUnsafeMutableBufferPointer { try writeNormalised(fitted, into: $0) }
    return values
  }

  private func writeNormalised(_ fitted: Picture, into target: UnsafeMutableBufferPointer<Float>) throws {
    let plane = fitted.width * fitted.height
    guard target.count == 3 * plane, let base = target.baseAddress else {
      throw PictureError.badPreprocessing(problem: "room for \(target.count) values, needs \(3 * plane)")
    }
    let scale = std.map { 1 / (255 * $0) }
    let shift = zip(mean, std).map { -$0 / $1 }
    zoo_normalize_rgb(
      base, fitted.pixels, Int64(fitted.width), Int64(fitted.height), Int64(fitted.width * 3), scale, shift)
    if channelOrder == "BGR" {
      for index in 0..<plane { target.swapAt(index, 2 * plane + index) }
    }
  }

  /// The network's input for one picture, [3, height, width].
  ///
  /// - Throws: ``PictureError``.
  public func apply(_ picture: Picture) throws -> FloatTensor {
    try check()
    let size = size(of: picture)
    var values = [Float](repeating: 0, count: 3 * size[0] * size[1])
    try values.withUnsafeMutableBufferPointer { try write(picture, into: $0) }
    return FloatTensor(shape: [3] + size, values: values)
  }
}
