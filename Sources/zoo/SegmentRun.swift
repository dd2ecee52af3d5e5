import Foundation
import ZooCheckpoint
import ZooInference
import ZooVision

/// `zoo predict` with a segmentation network: pictures of the classes, and how much of the picture each takes.
struct SegmentRun {
  let segmenter: Segmenter
  let folder: String
  let overwrite: Bool
  let display: DisplayOptions

  func run(_ pictures: PictureArguments) throws {
    let paths = PicturePaths(pictures.images)
    var names = MaskNames(folder: folder)
    var tally = PictureTally()
    while let path = paths.next() {
      do {
        let picture = try Picture.decode(path: path)
        let segmentation = try segmenter.segment(picture)
        let files = names.next(for: path)
        try files.write(segmentation, of: picture, overwrite: overwrite)
        tally.add()
        show(segmentation, of: path, files)
      } catch let error as PictureError {
        let problem = try tally.add(error)
        if display.json { print(jsonLine(BrokenPicture(image: path, error: problem))) }
      }
    }
    try tally.finish(pictures)
  }

  private struct Line: Encodable {
    let image: String
    let mask: String
    let overlay: String
    let shares: [Segmentation.Share]
  }

  private func show(_ segmentation: Segmentation, of image: String, _ files: MaskFiles) {
    let shares = segmentation.shares
    if display.json {
      return print(jsonLine(Line(image: image, mask: files.mask, overlay: files.overlay, shares: shares)))
    }
    print(Terminal.bold(image.escapingControlCharacters()))
    for share in shares {
      print("\(String(format: "%6.2f %%", share.share * 100))  \(share.label.escapingControlCharacters())")
    }
    if !display.quiet { print("wrote \(files.mask) and \(files.overlay)") }
  }
}
