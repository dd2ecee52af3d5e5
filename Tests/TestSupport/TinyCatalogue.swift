import Foundation
import ZooCheckpoint

/// A catalogue of one tiny residual network with two published files, whose addresses are the test's own.
public enum TinyCatalogue {
  /// The published files: `Tests/Fixtures/store/make_store.py` made them.
  public static let files = ["tiny-v1.pth", "tiny-v2.pth"]

  public static func bytes(of file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: Fixture.path("store/\(file)"))))
  }

  public static func sha256(of file: String) throws -> String {
    try Digest.sha256(of: MappedFile(path: Fixture.path("store/\(file)")))
  }

  /// Writes `zoo/resnet/<model>.json` into a folder, for `--catalog`.
  ///
  /// - Parameters:
  ///   - url: where a file is published.
  ///   - digits: how much of each SHA-256 is published; 0 for nothing.
  public static func write(
    to folder: String, model: String = "tiny", digits: Int = 8, url: (_ file: String) -> String
  ) throws {
    let weights = try files.enumerated().map { index, file in
      let digest = try sha256(of: file)
      let sum =
        digits == 0 ? "" : digits == 64 ? #""sha256": "\#(digest)","# : #""sha256Prefix": "\#(digest.prefix(digits))","#
      return """
        {"id": "IMAGENET1K_V\(index + 1)", "file": "\(file)", "url": "\(url(file))", \(sum)
         "metrics": {"ImageNet-1K": {"acc@1": \(70 - index)}}, "sizeMiB": 0.017, "input": \(input(mean: index))}
        """
    }
    let json = """
      {"name": "\(model)", "title": "Tiny", "family": "resnet", "task": "image-classification", "classes": 5,
       "config": {"block": "basic", "layers": [1, 1], "width": 4, "stem": {"kernel": 3, "stride": 1, "maxPool": false}},
       "input": \(input(mean: 1)), "parameters": 1409, "gflops": 0.001, "weights": [\(weights.joined(separator: ", "))]}
      """
    try FileManager.default.createDirectory(atPath: folder + "/zoo/resnet", withIntermediateDirectories: true)
    try Data(json.utf8).write(to: URL(filePath: "\(folder)/zoo/resnet/\(model).json"))
  }

  /// The first file's pictures are prepared otherwise, so that a mix-up shows.
  private static func input(mean: Int) -> String {
    """
    {"size": [32, 32], "resize": 36, "crop": 32, "interpolation": "bilinear", "channelOrder": "RGB",
     "mean": \(mean == 0 ? "[0, 0, 0]" : "[0.485, 0.456, 0.406]"), "std": [0.229, 0.224, 0.225]}
    """
  }
}
