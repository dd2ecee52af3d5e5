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
      #expect(tuning.errors.contains("images/") && tuning.complaints.count == 1, "\(tuning.errors)")
      let evaluation = try place.zoo("evaluate", "fcn.safetensors", "--data", "data")
      #expect(evaluation.code == 64 && evaluation.errors.contains("image-segmentation"), "\(evaluation.errors)")
    }
  }

  private let small = [
    "finetune", "--model", "lraspp.safetensors", "--data", "data", "--size", "32", "--threads", "1", "--batch-size",
    "4", "--augment", "flip", "--learning-rate", "0.01", "-o", "run",
  ]

  private func withMasks(_ body: (Workplace, DrawnMasks) throws -> Void) throws {
    try Workplace.with { place in
      _ = try SegmentationNetwork.write("lraspp", to: place.directory.file("lraspp.safetensors"))
      let drawn = DrawnMasks(folder: place.directory.file("data"))
      try drawn.write(12)
      try drawn.write("ground\nblue\nred\n", "classes.txt")
      try body(place, drawn)
    }
  }

  private func zoo(_ place: Workplace, _ arguments: [String], interruptWhen: (() -> Bool)? = nil) throws
    -> Program.Outcome
  {
    try Program.run(arguments, in: place.directory.path, interruptWhen: interruptWhen)
  }

  @Test func aNetworkLearnsNewClassesOfPixelsAndPredictsThem() throws {
    try withMasks { place, drawn in
      let tuned = try zoo(place, small + ["--recipe", "scratch", "--epochs", "20", "--head", "3"])
      #expect(tuned.code == 0, "\(tuned.errors)")
      #expect(tuned.output.contains("9 training pictures, 3 for validation"), "\(tuned.output)")
      #expect(tuned.output.contains("mean IoU"), "\(tuned.output)")
      #expect(place.files(in: "run") == ["log.jsonl", "model.safetensors", "report.html"])
      let predicted = try zoo(
        place, ["predict", "run/model.safetensors", "data/images/0.png", "-o", "masks", "--json"])
      #expect(predicted.code == 0 && predicted.output.contains("\"ground\""), "\(predicted.output) \(predicted.errors)")
      let mask = try ClassMask.decode(path: place.directory.file("masks/0.mask.png"))
      #expect(mask.width == 40 && mask.height == 32 && mask.classes.allSatisfy { $0 < 3 })
      let evaluated = try zoo(place, ["evaluate", "run/model.safetensors", "--data", "data", "--json"])
      let summary = try #require(
        try JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
      #expect(try #require(summary["meanIntersectionOverUnion"] as? Double) > 0.4, "\(evaluated.output)")
      #expect(summary["pictures"] as? Int == 12)
      let table = try zoo(place, ["evaluate", "run/model.safetensors", "--data", "data"])
      #expect(table.output.contains("IOU") && table.output.contains("red"), "\(table.output)")
      let compared = try zoo(place, ["compare", "run"])
      #expect(compared.code == 0 && compared.output.contains("MEAN IOU"), "\(compared.output)")
      try drawn.write("ground\nred\nblue\n", "classes.txt")
      let other = try zoo(place, ["evaluate", "run/model.safetensors", "--data", "data"])
      #expect(other.code == 65 && other.errors.contains("class 1 is 'red'"), "\(other.errors)")
    }
  }

  @Test func anInterruptedRunGoesOnToTheSameBits() throws {
    try withMasks { place, _ in
      let recipe = small + ["--recipe", "full", "--epochs", "12", "--save-every", "0"]
      #expect(try zoo(place, recipe).code == 0)
      let whole = try Data(contentsOf: URL(filePath: place.directory.file("run/model.safetensors")))
      let log = place.directory.file("run/log.jsonl")
      let stopped = try zoo(
        place, recipe + ["--force"],
        interruptWhen: { ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").count == 3 }
      )
      #expect(stopped.code == 130, "\(stopped.errors)")
      let resumed = try zoo(place, recipe + ["--resume"])
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(try Data(contentsOf: URL(filePath: place.directory.file("run/model.safetensors"))) == whole)
    }
  }

  @Test func whatIsWrongIsToldInOneLine() throws {
    try withMasks { place, drawn in
      func fails(_ arguments: [String], _ code: Int32, _ words: String) throws {
        let outcome = try zoo(place, arguments)
        #expect(outcome.code == code && outcome.errors.contains(words), "\(outcome.code) \(outcome.errors)")
        #expect(outcome.complaints.count == 1, "\(outcome.errors)")
      }
      try fails(small + ["--head", "5"], 64, "--head 5, but it names 3 classes")
      try fails(small + ["--mixup", "0.2"], 64, "--mixup")
      try fails(small + ["--recipe", "mlp", "--hidden", "8"], 64, "--recipe mlp")
      try fails(small + ["--find-rate"], 64, "--find-rate")
      try fails(["evaluate", "lraspp.safetensors", "--data", "data", "--tta"], 64, "--tta")
      try drawn.remove("masks/4.png")
      try fails(small, 65, "images/4.png: has no mask")
      try drawn.save(
        Picture(width: 40, height: 32, pixels: [UInt8](repeating: 9, count: 3840)), "masks/4.png")
      try fails(small, 65, "colours")
      #expect(!place.exists("run"))
    }
  }
}
