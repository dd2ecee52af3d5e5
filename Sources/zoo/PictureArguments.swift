import ArgumentParser
import ZooCheckpoint
import ZooVision

/// The pictures that `predict` and `embed` take, and how many of them could not be read.
struct PictureArguments: ParsableArguments {
  /// Pictures that a run takes where there may be many: more makes networks hardly faster.
  private static let usualBatch = 8

  @Argument(
    help: "Pictures (JPEG, PNG, WebP), folders of them, or - for a list on standard input; for text models texts.",
    completion: .file())
  var images: [String]
  @Option(help: "Pictures that the network takes at once; default: 8 where there may be many, else 1.")
  var batch: Int?
  @Option(help: "Threads to run on; default: one a core.")
  var threads: Int?

  func validate() throws {
    guard !images.isEmpty else { throw ValidationError("Name at least one picture, a folder, or - for a list.") }
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more.") }
    if let batch, !(1...1024).contains(batch) { throw ValidationError("--batch must be from 1 to 1024.") }
  }

  /// Whether there may be any number of pictures.
  var isOpenEnded: Bool { PicturePaths.isOpenEnded(images) }

  var batchSize: Int { batch ?? (isOpenEnded || images.count >= Self.usualBatch ? Self.usualBatch : 1) }
}

/// Counts pictures and complains of the broken ones as they come, so that any number of them takes no memory.
struct PictureTally {
  private(set) var count = 0
  private var broken = 0
  private var last: ErrorReport?

  mutating func add() { count += 1 }

  /// - Returns: what is wrong, in words.
  /// - Throws: `error` itself where it can't be told.
  mutating func add(_ error: any Error) throws -> String {
    guard let report = (error as? any ReportableError)?.report else { throw error }
    count += 1
    broken += 1
    if let last { Zoo.complain(last) }
    last = report
    return report.line
  }

  /// - Throws: ``UnreadablePictures`` where any was broken; the error of a picture that was alone.
  func finish(_ arguments: PictureArguments) throws {
    guard count > 0 else { throw NoPictures(places: arguments.images) }
    guard let last else { return }
    if count == 1, !arguments.isOpenEnded { throw UnreadablePictures(reports: [last]) }
    let words = "\(broken) of \(count) pictures could not be read"
    throw UnreadablePictures(reports: [last, ErrorReport(.badData, problem: words)])
  }
}

/// A picture that can't be read, as a line of JSON says it.
struct BrokenPicture: Encodable {
  let image: String
  let error: String
}

/// Pictures among others that could not be read.
private struct UnreadablePictures: ReportableErrors {
  let reports: [ErrorReport]
}

/// Folders and lists without any picture.
private struct NoPictures: ReportableError {
  let places: [String]
  var report: ErrorReport {
    ErrorReport(
      .noInput, file: places.joined(separator: ", "), problem: "no pictures there",
      advice: "folders are searched for .jpg, .png and .webp")
  }
}
