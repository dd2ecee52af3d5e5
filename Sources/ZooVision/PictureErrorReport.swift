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
    case .noMask(let file, let problem): problem.report(file)
    case .badPreprocessing(let problem): ErrorReport(.badData, place: "zoo.input", problem: problem)
    }
  }
}

extension PictureError.MaskProblem {
  fileprivate func report(_ file: String) -> ErrorReport {
    switch self {
    case .notPNG:
      ErrorReport(
        .badData, file: file, problem: "is no PNG, and a mask's pixels must come back as they were",
        advice: "save masks as PNG, gray or with a palette, whose values are numbers of classes")
    case .colours:
      ErrorReport(
        .badData, file: file, problem: "its pixels are colours or have a transparency, not numbers of classes",
        advice: "save it with a palette or in gray: 0 for the first class, 1 for the second, 255 where nothing is said")
    case .beyond(let number, let x, let y):
      ErrorReport(
        .badData, file: file, place: "pixel \(x), \(y)", problem: "holds \(number), and a mask's numbers end at 255",
        advice: "number the classes from 0 on")
    }
  }
}
