/// A class for each pixel of a picture, row by row from the top left.
public struct ClassMask: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// `width * height` numbers of classes; 0 is the background.
  public let classes: [UInt8]

  /// - Precondition: `classes.count == width * height`.
  public init(width: Int, height: Int, classes: [UInt8]) {
    precondition(classes.count == width * height, "\(classes.count) classes for \(width) × \(height)")
    self.width = width
    self.height = height
    self.classes = classes
  }

  /// 256 colours as RGB triples, the first black: those of the Pascal VOC challenge, whose classes' bits are spread over
  /// the three colours, the highest bits of each first.
  public static let palette: [UInt8] = (0..<256).flatMap { index in
    [colour(index), colour(index >> 1), colour(index >> 2)]
  }

  /// Every third bit of `index`, the lowest as the highest of the colour.
  private static func colour(_ index: Int) -> UInt8 {
    var result: UInt8 = 0
    for bit in 0..<3 where index >> (3 * bit) & 1 == 1 { result |= 0x80 >> UInt8(bit) }
    return result
  }

  /// The mask at another size; each pixel takes the nearest one's class.
  public func resized(width newWidth: Int, height newHeight: Int) -> ClassMask {
    guard newWidth != width || newHeight != height else { return self }
    let columns = (0..<newWidth).map { ($0 * 2 + 1) * width / (2 * newWidth) }
    var result: [UInt8] = []
    result.reserveCapacity(newWidth * newHeight)
    for y in 0..<newHeight {
      let row = (y * 2 + 1) * height / (2 * newHeight) * width
      for column in columns { result.append(classes[row + column]) }
    }
    return ClassMask(width: newWidth, height: newHeight, classes: result)
  }

  /// The picture with each class but the background in its colour, half and half.
  ///
  /// - Precondition: both have one size.
  public func laid(over picture: Picture) -> Picture {
    precondition(picture.width == width && picture.height == height, "a mask of another size")
    var pixels = picture.pixels
    for (index, number) in classes.enumerated() where number != 0 {
      for colour in 0..<3 {
        let (shown, own) = (Int(pixels[index * 3 + colour]), Int(Self.palette[Int(number) * 3 + colour]))
        pixels[index * 3 + colour] = UInt8((shown + own) / 2)
      }
    }
    return Picture(width: width, height: height, pixels: pixels)
  }

  /// Pixels of each class.
  public var counts: [Int] {
    var counts = [Int](repeating: 0, count: 256)
    for number in classes { counts[Int(number)] += 1 }
    return counts
  }
}
