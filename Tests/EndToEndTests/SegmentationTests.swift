import Foundation
import TestSupport
import Testing
import ZooVision

/// `zoo predict` with a network that gives each pixel a class.
@Suite struct SegmentationTests {
  private let picture = Fixture.path("segmentation/picture.png")

  @Test func masksOverlaysAndSharesAreWritten() throws {
    try Workplace.with { place in
      _ = try SegmentationNetwork.write("fcn", to: place.directory.file("fcn.safetensors"))
      let outcome = try place.zoo("predict", "fcn.safetensors", picture, "-o", "masks", "--json")
      #expect(outcome.code == 0, "\(outcome.errors)")
      let line = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      let shares = try #require(line["shares"] as? [[String: Any]])
      #expect(abs(shares.compactMap { $0["share"] as? Double }.reduce(0, +) - 1) < 1e-9)
      #expect(shares.allSatisfy { SegmentationNetwork.labels.contains($0["label"] as? String ?? "") })
      let original = try Picture.decode(path: picture)
      for name in ["picture.mask.png", "picture.overlay.png"] {
        let made = try Picture.decode(path: place.directory.file("masks/" + name))
        #expect(made.width == original.width && made.height == original.height)
      }
    }
  }

  @Test func picturesThatExistStayUnlessForced() throws {
    try Workplace.with { place in
      _ = try SegmentationNetwork.write("fcn", to: place.directory.file("fcn.safetensors"))
      #expect(try place.zoo("predict", "fcn.safetensors", picture).code == 0)
      let again = try place.zoo("predict", "fcn.safetensors", picture)
      #expect(again.code == 73 && again.complaints.count == 1, "\(again.errors)")
      #expect(try place.zoo("predict", "fcn.safetensors", picture, "--force").code == 0)
    }
  }

  @Test func itIsNoClassifier() throws {
    try Workplace.with { place in
      _ = try SegmentationNetwork.write("fcn", to: place.directory.file("fcn.safetensors"))
      for name in ["a", "b", "c"] {
        let folder = place.directory.file("data/" + name)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for number in 0..<3 {
          let shade = [UInt8](repeating: UInt8(number * 60), count: 16 * 16 * 3)
          let drawn = PNGEncoder.encode(Picture(width: 16, height: 16, pixels: shade))
          try Data(drawn).write(to: URL(filePath: "\(folder)/\(number).png"))
        }
      }
      let tuning = try place.zoo("finetune", "--model", "fcn.safetensors", "--head", "3", "--data", "data")
      #expect(tuning.code == 64 && tuning.errors.contains("image-segmentation"), "\(tuning.code) \(tuning.errors)")
      let evaluation = try place.zoo("evaluate", "fcn.safetensors", "--data", "data")
      #expect(evaluation.code == 64 && evaluation.errors.contains("image-segmentation"), "\(evaluation.errors)")
    }
  }
}
