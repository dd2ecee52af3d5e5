/// A picture: 8-bit RGB, interleaved, row by row from the top left.
public struct Picture: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// `width * height * 3` bytes.
  public let pixels: [UInt8]

  /// - Precondition: `pixels.count == width * height * 3`.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == width * height * 3, "\(pixels.count) bytes for \(width) × \(height)")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// More pixels than this are refused before memory is asked for: Pillow's limit against decompression bombs.
  public static let pixelLimit = 178_956_970

  static func checkSize(width: Int, height: Int, file: String) throws(PictureError) {
    guard width > 0, height > 0 else { throw .noPixels(file: file, width: width, height: height) }
    let (pixels, overflowed) = width.multipliedReportingOverflow(by: height)
    guard !overflowed, pixels <= pixelLimit else { throw .tooLarge(file: file, width: width, height: height) }
  }
}

/// Why a picture can't be decoded or used.
public enum PictureError: Error, Sendable, Equatable {
  case unknownFormat(file: String)
  case unsupportedFormat(file: String, format: String)
  case damaged(file: String, format: String, problem: String)
  case noPixels(file: String, width: Int, height: Int)
  case tooLarge(file: String, width: Int, height: Int)
  case badPreprocessing(problem: String)
  /// A picture whose pixels aren't numbers of classes.
  case noMask(file: String, MaskProblem)

  public enum MaskProblem: Sendable, Equatable {
    case notPNG
    /// Pixels have a red, green and blue of their own, or a transparency.
    case colours
    /// A number that no mask can hold.
    case beyond(number: Int, x: Int, y: Int)
  }
}
