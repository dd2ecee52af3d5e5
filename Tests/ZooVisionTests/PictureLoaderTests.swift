import Foundation
import Testing
import ZooCheckpoint

@testable import ZooVision

@Suite struct PictureLoaderTests {
  private static func preprocessing() throws -> Preprocessing {
    try Preprocessing(
      json: #"{"size":[8,8],"resize":9,"crop":8,"interpolation":"bilinear","mean":[0,0,0],"std":[1,1,1]}"#)
  }

  @Test(arguments: [1, 3])
  func resultsComeInOrderWithBrokenOnesAmongThem(threads: Int) throws {
    let files = ["rgb8.png", "other.gif", "baseline.jpg", "absent.png", "lossy.webp"]
    let paths = (0..<40).map { ExpectedPictures.path(files[$0 % files.count]) }
    let preprocessing = try Self.preprocessing()
    let loaded = Array(try PictureLoader(paths: paths, preprocessing: preprocessing, threads: threads))
    #expect(loaded.map(\.path) == paths)
    #expect(loaded.map(\.index) == Array(0..<40))
    for picture in loaded {
      switch picture.input {
      case .success(let tensor):
        let alone = try preprocessing.apply(Picture.decode(path: picture.path))
        #expect(try tensor.values() == alone.values())
      case .failure(let error):
        let isAbsent = picture.path.hasSuffix("absent.png")
        #expect(
          isAbsent
            ? error as? FileError == .notFound(file: picture.path)
            : error as? PictureError == .unsupportedFormat(file: picture.path, format: "GIF"))
      }
    }
  }

  @Test func noMoreThanThePrefetchIsHeld() throws {
    let paths = [String](repeating: ExpectedPictures.path("rgb8.png"), count: 50)
    let loader = try PictureLoader(paths: paths, preprocessing: Self.preprocessing(), threads: 4, prefetch: 3)
    while let picture = loader.next() {
      #expect(loader.started <= picture.index + 1 + 3)
    }
  }

  @Test func cancelledLoaderGivesNoMore() throws {
    let paths = [String](repeating: ExpectedPictures.path("rgb8.png"), count: 50)
    let loader = try PictureLoader(paths: paths, preprocessing: Self.preprocessing(), threads: 2)
    #expect(loader.next() != nil)
    loader.cancel()
    #expect(loader.next() == nil)
  }

  @Test func abandonedLoaderGoesAway() throws {
    weak var abandoned: PictureLoader?
    do {
      let paths = [String](repeating: ExpectedPictures.path("rgb8.png"), count: 50)
      let loader = try PictureLoader(paths: paths, preprocessing: Self.preprocessing(), threads: 2)
      #expect(loader.next() != nil)
      abandoned = loader
    }
    #expect(abandoned == nil)
  }

  @Test func noPathsGiveNothing() throws {
    #expect(try PictureLoader(paths: [], preprocessing: Self.preprocessing(), threads: 2).next() == nil)
  }
}

@Suite struct PicturePathsTests {
  private func all(_ paths: PicturePaths) -> [String] {
    var found: [String] = []
    while let path = paths.next() { found.append(path) }
    return found
  }

  @Test func filesFoldersAndListsAreTakenInTheirOrder() throws {
    let folder = ExpectedPictures.path("rgb8.png").replacingOccurrences(of: "/rgb8.png", with: "")
    var lines = ["x.png", "", "y z.jpg"][...]
    let paths = PicturePaths(["first.gif", "-", folder, "last"]) { lines.popFirst() }
    let found = all(paths)
    #expect(found.prefix(3) == ["first.gif", "x.png", "y z.jpg"])
    #expect(found.last == "last")
    let pictures = found.dropFirst(3).dropLast()
    #expect(pictures.allSatisfy { $0.hasPrefix(folder + "/") })
    #expect(pictures.contains(folder + "/rgb8.png") && !pictures.contains(folder + "/other.gif"))
    #expect(pictures.elementsEqual(pictures.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }))
  }

  @Test func listIsReadNoFurtherThanItIsAskedFor() {
    var read = 0
    let paths = PicturePaths(["-"]) {
      read += 1
      return "\(read).png"
    }
    #expect(paths.next() == "1.png" && paths.next() == "2.png")
    #expect(read == 2)
  }
}
