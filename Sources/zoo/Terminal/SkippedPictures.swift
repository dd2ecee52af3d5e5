import ZooCheckpoint
import ZooTraining

/// Pictures that were left out, counted and named on standard error.
struct SkippedPictures {
  private static let named = 5
  let pictures: [SkippedPicture]

  init(_ pictures: [SkippedPicture]) { self.pictures = pictures }

  func note() {
    guard !pictures.isEmpty else { return }
    Terminal.note("zoo: left out \(pictures.count) of the pictures, which can't be read:")
    for picture in pictures.prefix(Self.named) {
      Terminal.note("  \(picture.name.escapingControlCharacters()): \(picture.reason.escapingControlCharacters())")
    }
    if pictures.count > Self.named { Terminal.note("  … and \(pictures.count - Self.named) more") }
  }
}
