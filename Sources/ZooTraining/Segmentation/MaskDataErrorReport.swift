import ZooCheckpoint

extension MaskDataError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .noMasks(let folder):
      ErrorReport(
        .usage, file: folder,
        problem: "holds no pictures with masks, which a network for image-segmentation learns from",
        advice: "put pictures into images/ and a PNG of the same name for each into masks/, or name a table with "
          + "columns path and mask")
    case .noPictures(let folder):
      ErrorReport(.badData, file: folder, problem: "holds no pictures", advice: "put some there")
    case .missingMask(let picture, let folder):
      ErrorReport(
        .badData, file: picture, problem: "has no mask of its name in \(folder)",
        advice: "add one as PNG, or take the picture away")
    case .missingPicture(let mask, let folder):
      ErrorReport(
        .badData, file: mask, problem: "has no picture of its name in \(folder)",
        advice: "add the picture, or take the mask away")
    case .size(let mask, let width, let height, let pictureWidth, let pictureHeight):
      ErrorReport(
        .badData, file: mask,
        problem: "has \(width) × \(height) pixels, its picture \(pictureWidth) × \(pictureHeight)",
        advice: "resize the mask to its picture, each pixel by the nearest one")
    case .unknownClass(let mask, let x, let y, let number, let classes):
      ErrorReport(
        .badData, file: mask, place: "pixel \(x), \(y)",
        problem: "holds class \(number), and the \(classes) classes are 0 to \(classes - 1)",
        advice: "255 stands for pixels that are to be ignored; --head or classes.txt says how many classes there are")
    case .tooManyClasses(let file, let classes):
      ErrorReport(.badData, file: file, problem: "names \(classes) classes, and masks tell at most 255")
    case .repeatedClass(let file, let line, let name):
      ErrorReport(
        .badData, file: file, place: "line \(line)", problem: "names the class '\(name)' a second time",
        advice: "a line a class, the first of them class 0")
    case .oneClass(let folder, let number):
      ErrorReport(
        .badData, file: folder,
        problem: number.map { "the masks hold class \($0) alone" } ?? "the masks hold no class at all",
        advice: "number the classes 0, 1, …: 255 is ignored, so that a mask of 0 and 255 needs 0 and 1 instead")
    case .otherClasses(let file, let number, let named, let known):
      ErrorReport(
        .badData, file: file,
        problem: "class \(number) is \(Self.name(number, named)), and the network's is \(Self.name(number, known))",
        advice: "number the classes as the network does: " + known.prefix(12).joined(separator: ", ")
          + (known.count > 12 ? ", …" : ""))
    case .headDisagrees(let asked, let file, let classes):
      ErrorReport(
        .usage, file: file, problem: "--head \(asked), but it names \(classes) classes",
        advice: "use --head \(classes), or leave --head out")
    }
  }

  private static func name(_ number: Int, _ names: [String]) -> String {
    names.indices.contains(number) ? "'\(names[number])'" : "none"
  }
}
