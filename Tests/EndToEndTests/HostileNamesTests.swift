import Foundation
import TestSupport
import Testing
import ZooCheckpoint

/// Names and metadata out of files never reach a terminal as they are.
@Suite struct HostileNamesTests {
  private static let hostile = "a\u{1B}[31m\u{202E}b\u{7}\u{9B}2J\u{2066}\n\u{F8F4}"

  private static func isHarmless(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
      switch scalar {
      case "\n", "\t": true
      default:
        ![.control, .format, .lineSeparator, .paragraphSeparator, .privateUse].contains(
          scalar.properties.generalCategory)
      }
    }
  }

  @Test func noVerbPrintsControlCharactersOfAFile() throws {
    try Workplace.with { place throws in
      var stateDict = StateDict()
      stateDict[Self.hostile] = try Tensor(
        dtype: .float32, shape: [2], storage: MemoryStorage(copying: [Float(1), .nan]))
      var metadata = CheckpointMetadata()
      metadata.others = [Self.hostile: Self.hostile]
      metadata.model = Self.hostile
      metadata.absent = [Self.hostile]
      metadata.kept.values = [Self.hostile: .text(Self.hostile)]
      let path = place.directory.file("x.safetensors")
      try CheckpointWriter.write(stateDict, metadata: metadata, to: path)
      stateDict["other" + Self.hostile] = stateDict[Self.hostile]
      try CheckpointWriter.write(stateDict, metadata: metadata, to: place.directory.file("y.safetensors"))
      for arguments in [
        ["inspect", "x.safetensors", "--stats"], ["verify", "x.safetensors"],
        ["diff", "x.safetensors", "y.safetensors"],
        ["convert", "x.safetensors", "-o", "z" + Self.hostile], ["predict", "x.safetensors", Self.hostile],
        ["verify", "x.safetensors", "--reference", "y.safetensors"], ["inspect", "x.safetensors", "--json"],
        ["convert", "x.safetensors", "-o", "z.st", "--json"], ["convert", "x.safetensors", "--model", Self.hostile],
        ["convert", "x.safetensors", "-o", "w.st", "--model", "alexnet"], ["info", Self.hostile],
        ["list", Self.hostile], ["identify", "x.safetensors"], ["identify", Self.hostile],
        ["embed", "x.safetensors", Self.hostile], ["pull", Self.hostile], ["pull", "resnet50:" + Self.hostile],
        ["rm", Self.hostile],
      ] {
        let outcome = try Program.run(arguments, in: place.directory.path)
        #expect(!(outcome.output + outcome.errors).isEmpty, "\(arguments)")
        #expect(Self.isHarmless(outcome.output), "\(arguments): \(outcome.output.debugDescription)")
        #expect(Self.isHarmless(outcome.errors), "\(arguments): \(outcome.errors.debugDescription)")
      }
      let json = try place.zoo("inspect", "x.safetensors", "--json").output
      let decoded = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
      #expect((decoded?["metadata"] as? [String: String])?[Self.hostile] == Self.hostile)
    }
  }
}
