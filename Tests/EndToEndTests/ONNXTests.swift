import Foundation
import TestSupport
import Testing

/// ONNX through the whole program.
@Suite struct ONNXTests {
  private let stranger = Fixture.path("onnx/stranger-script.onnx")
  private let picture = Fixture.path("vision/rgb8.png")

  @Test func aStrangerIsShownPicturesAndSaysWhatItGuessed() throws {
    try Workplace.with { place throws in
      try place.write(Data("cat\ndog\nbird\n".utf8), to: "labels.txt")
      let outcome = try place.zoo("predict", stranger, picture, "--labels", "labels.txt", "--top", "3")
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.output.split(separator: "\n").count == 3)
      #expect(["cat", "dog", "bird"].allSatisfy(outcome.output.contains))
      #expect(outcome.errors.contains("8×8"))
      let quiet = try place.zoo("predict", stranger, picture, "--labels", "labels.txt", "--quiet")
      #expect(quiet.output == outcome.output)
      #expect(quiet.errors.isEmpty)
      try place.write(Data("cat\n".utf8), to: "labels.txt")
      #expect(try place.zoo("predict", stranger, picture, "--labels", "labels.txt").code == 64)
    }
  }

  @Test func weightsOfAStrangerConvertUnderTheirNames() throws {
    try Workplace.with { place throws in
      let outcome = try place.zoo("convert", stranger, "-o", "x.safetensors")
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("not in the catalogue"))
      let listing = try place.zoo("inspect", "x.safetensors").output
      #expect(
        ["features.weight", "hidden.weight", "head.weight"].allSatisfy(listing.contains)
          || listing.contains("head.bias"))
      #expect(try place.zoo("verify", stranger).code == 0)
    }
  }

  @Test func inspectTellsTheGraph() throws {
    try Workplace.with { place throws in
      let outcome = try place.zoo("inspect", stranger)
      for words in [
        "operator set", "made by pytorch", "input   pixels float32 [1, 3, 8, 8]", "output  scores", "Gemm 1",
      ] {
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
      }
      let json = try place.zoo("inspect", stranger, "--json").output
      #expect(json.contains(#""inputs":[{"dtype":"float32","name":"pixels","shape":["1","3","8","8"]}]"#))
    }
  }

  @Test func aDemoNetworkGoesToONNXAndBack() throws {
    try Workplace.with { place throws in
      let model = Fixture.path("../../zoo/demo/shapes.safetensors")
      #expect(try place.zoo("convert", model, "-o", "a.safetensors").code == 0)
      let outcome = try place.zoo("export", "a.safetensors", "--to", "onnx")
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(try place.zoo("convert", "a.onnx", "-o", "b.safetensors").code == 0)
      #expect(
        FileManager.default.contentsEqual(
          atPath: place.directory.file("a.safetensors"), andPath: place.directory.file("b.safetensors")))
      #expect(
        try place.zoo("predict", "a.safetensors", picture).output == place.zoo("predict", "a.onnx", picture).output)
      #expect(try place.zoo("verify", "a.onnx").code == 0)
    }
  }
}
