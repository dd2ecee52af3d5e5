import ZooCheckpoint

extension PictureError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .unknownFormat(let file):
      ErrorReport(.badData, file: file, problem: "is not a picture: expected JPEG, PNG or WebP")
    case .unsupportedFormat(let file, let format):
      ErrorReport(
        .badData, file: file, problem: "is \(format), expected JPEG, PNG or WebP", advice: "convert it to PNG")
    case .damaged(let file, let format, let problem):
      ErrorReport(.badData, file: file, problem: "damaged \(format): \(problem)", advice: "replace or remove it")
    case .noPixels(let file, let width, let height):
      ErrorReport(.badData, file: file, problem: "has no pixels: \(width) × \(height)")
    case .tooLarge(let file, let width, let height):
      ErrorReport(
        .badData, file: file, problem: "\(width) × \(height) pixels, at most \(Picture.pixelLimit) are read",
        advice: "make it smaller")
    case .badPreprocessing(let problem): ErrorReport(.badData, place: "zoo.input", problem: problem)
    }
  }
}
