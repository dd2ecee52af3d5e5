import Foundation
import ZooCheckpoint

/// A network of `make_segmentation.py` as a canonical checkpoint, for pictures with a shorter side of 40 pixels.
public enum SegmentationNetwork {
  public static let labels = ["background", "one", "two", "three", "four"]

  /// Writes the checkpoint; gives the fixture's tensors, with what torchvision says of its picture.
  public static func write(_ name: String, to path: String) throws -> StateDict {
    let fixture = try Checkpoint.open(path: Fixture.path("segmentation/\(name).safetensors"))
    var stateDict = StateDict()
    for (name, tensor) in fixture.stateDict.tensors where name.hasPrefix("weight.") {
      stateDict[String(name.dropFirst(7))] = tensor
    }
    var metadata = CheckpointMetadata()
    metadata.config = (fixture.metadata.config ?? "{}").dropLast() + #","classes":5}"#
    metadata.labels = labels
    metadata.input = #"""
      {"size":[40,40],"resize":40,"interpolation":"bilinear","mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]}
      """#
    try CheckpointWriter.write(stateDict, metadata: metadata, to: path)
    return fixture.stateDict
  }
}
