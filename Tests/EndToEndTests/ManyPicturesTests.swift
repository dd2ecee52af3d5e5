import Foundation
import TestSupport
import Testing
import ZooFormats

/// `zoo predict` and `zoo embed` over folders and lists.
@Suite struct ManyPicturesTests {
  private struct Line: Decodable {
    struct Guess: Decodable {
      let index: Int
      let probability: Double
    }
    let image: String
    let predictions: [Guess]?
    let features: [Float]?
    let error: String?
    let row: Int?
  }
  private struct Expected: Decodable {
    let features: [Float]
    let logits: [Double]

    /// Softmax of the logits.
    var probabilities: [Double] {
      let exponentials = logits.map { exp($0) }
      return exponentials.map { $0 / exponentials.reduce(0, +) }
    }
  }

  private static let pictures = ["rgb8.png", "source_wide.png", "source_tall.png", "lossy.webp"]

  /// What torch makes of the pictures with `tiny-v2.pth`.
  private static func expected() throws -> [String: Expected] {
    let data = try Data(contentsOf: URL(filePath: Fixture.path("store/expected.json")))
    return try #require(try JSONDecoder().decode([String: [String: Expected]].self, from: data)["2"])
  }

  /// `tiny` as `model.safetensors`, and `photos` with twenty pictures in order, three files that are none among them.
  private func withPhotos(_ body: (Workplace, _ names: [String]) throws -> Void) throws {
    try Workplace.with { place throws in
      try TinyCatalogue.write(to: place.directory.file("catalog")) { "https://example.org/\($0)" }
      let converted = try place.zoo(
        "convert", Fixture.path("store/tiny-v2.pth"), "-o", "model.safetensors", "--catalog", "catalog")
      #expect(converted.code == 0, "\(converted.errors)")
      try FileManager.default.createDirectory(
        atPath: place.directory.file("photos/b/.hidden"), withIntermediateDirectories: true)
      var names: [String] = []
      for number in 0..<20 {
        let picture = Self.pictures[number % 4]
        let name = String(format: "photos/%@%02d-%@", number < 10 ? "a" : "b/", number, picture)
        try FileManager.default.copyItem(
          atPath: Fixture.path("vision/\(picture)"), toPath: place.directory.file(name))
        names.append(name)
      }
      for name in ["photos/b/05.txt", "photos/b/.12.png", "photos/b/.hidden/13.png"] {
        try place.write(Data("no picture".utf8), to: name)
      }
      try body(place, names)
    }
  }

  private func lines(_ outcome: Program.Outcome) throws -> [Line] {
    try outcome.output.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  private func source(_ name: String) -> String { name.split(separator: "-").last.map(String.init) ?? "" }

  @Test(arguments: ["1", "3", "8"])
  func folderIsPredictedInOrder(batch: String) throws {
    let expected = try Self.expected()
    try withPhotos { place, names throws in
      let outcome = try place.zoo("predict", "model.safetensors", "photos", "--json", "--batch", batch, "--top", "9")
      #expect(outcome.code == 0, "\(outcome.errors)")
      let found = try lines(outcome)
      #expect(found.map(\.image) == names)
      for line in found {
        let probabilities = try #require(expected[source(line.image)]).probabilities
        for guess in try #require(line.predictions) {
          #expect(abs(guess.probability - probabilities[guess.index]) < 1e-4, "\(line.image)")
        }
      }
    }
  }

  @Test func listIsReadFromStandardInputAndBrokenPicturesAreToldWhereTheyStand() throws {
    try withPhotos { place, names throws in
      try place.write(Data("not a picture".utf8), to: "broken.jpg")
      let list = Array(names[0..<5]) + ["broken.jpg", "absent.png"] + Array(names[5..<12])
      try place.write(Data((list.joined(separator: "\n") + "\n\n").utf8), to: "list")
      let outcome = try Program.run(
        ["predict", "model.safetensors", "-", "--json"], in: place.directory.path,
        input: place.directory.file("list"))
      #expect(outcome.code == 65)
      let found = try lines(outcome)
      #expect(found.map(\.image) == list)
      #expect(found.filter { $0.error != nil }.map(\.image) == ["broken.jpg", "absent.png"])
      #expect(outcome.complaints.count == 3)
      #expect(outcome.errors.contains("broken.jpg") && outcome.errors.contains("2 of 14 pictures could not be read"))
    }
  }

  @Test func tableHasALineAPicture() throws {
    try withPhotos { place, names throws in
      let outcome = try place.zoo("predict", "model.safetensors", "photos/b", "photos/a00-rgb8.png")
      #expect(outcome.code == 0)
      let rows = outcome.output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
      #expect(rows.first == ["probability", "class", "image"])
      #expect(rows.dropFirst().map { $0[2] } == Array(names[10...]) + [names[0]])
      #expect(rows[1][0].hasSuffix(" %") && rows[1][1].hasPrefix("class "))
    }
  }

  @Test func folderWithoutPicturesIsToldAsOne() throws {
    try withPhotos { place, _ throws in
      try FileManager.default.createDirectory(
        atPath: place.directory.file("empty"), withIntermediateDirectories: true)
      for verb in ["predict", "embed"] {
        let outcome = try place.zoo(verb, "model.safetensors", "empty")
        #expect(outcome.code == 66)
        #expect(outcome.complaints.count == 1 && outcome.errors.contains("empty: no pictures there"))
      }
    }
  }

  @Test func featuresAreTorchsInLinesAndInNumPysFile() throws {
    let expected = try Self.expected()
    try withPhotos { place, names throws in
      let outcome = try place.zoo("embed", "model.safetensors", "photos")
      #expect(outcome.code == 0, "\(outcome.errors)")
      let found = try lines(outcome)
      #expect(found.map(\.image) == names)
      for line in found {
        let features = try #require(expected[source(line.image)]).features
        #expect(line.features?.count == features.count)
        for (ours, theirs) in zip(line.features ?? [], features) { #expect(abs(ours - theirs) < 1e-4) }
      }
      try place.write(Data("not a picture".utf8), to: "photos/a05-broken.png")
      let written = try place.zoo("embed", "model.safetensors", "photos", "-o", "features.npy", "--json")
      #expect(written.code == 65)
      let rows = try lines(written)
      #expect(rows.count == 21 && rows[5].error != nil && rows.filter { $0.error != nil }.count == 1)
      let array = try #require(
        try WeightFile.open(path: place.directory.file("features.npy")).stateDict.tensors.values.first)
      #expect(array.shape == [21, 8] && array.dtype == .float32)
      let values = try array.floats()
      let broken = 5
      #expect(values[broken * 8..<broken * 8 + 8].allSatisfy { $0.isNaN })
      #expect(Array(values[(20 * 8)...]) == found.last?.features)
      #expect(try place.zoo("embed", "model.safetensors", "photos", "-o", "features.npy").code == 73)
    }
  }

  @Test func weightsWithoutHeadGiveFeaturesToo() throws {
    let expected = try Self.expected()
    try withPhotos { place, _ throws in
      _ = try place.zoo("convert", "model.safetensors", "--head", "drop", "-o", "body.safetensors")
      let outcome = try place.zoo("embed", "body.safetensors", Fixture.path("vision/rgb8.png"))
      #expect(outcome.code == 0, "\(outcome.errors)")
      let features = try #require(try lines(outcome).first?.features)
      for (ours, theirs) in zip(features, try #require(expected["rgb8.png"]).features) {
        #expect(abs(ours - theirs) < 1e-4)
      }
    }
  }
}
