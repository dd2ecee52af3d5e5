import Foundation
import TestSupport
import ZooVision

/// What Pillow and torchvision made of the pictures in `Tests/Fixtures/vision` (`make_vision.py`).
struct ExpectedPictures: Decodable {
  struct Decoded: Decodable, Sendable {
    let file: String
    let width: Int
    let height: Int
    /// Levels in 255 by which a pixel may differ.
    let tolerance: Int
    let offset: Int
  }
  struct Resized: Decodable, Sendable {
    let source: String
    let filter: Interpolation
    let width: Int
    let height: Int
    let offset: Int
  }
  struct Prepared: Decodable, Sendable {
    let source: String
    let recipe: String
    let input: Preprocessing
    let offset: Int
  }
  let decoded: [Decoded]
  let resized: [Resized]
  let prepared: [Prepared]

  static func load() throws -> ExpectedPictures {
    try JSONDecoder().decode(Self.self, from: bytes(of: "expected.json"))
  }

  static func path(_ name: String) -> String { Fixture.path("vision/\(name)") }
  static func bytes(of name: String) throws -> Data { try Data(contentsOf: URL(filePath: path(name))) }

  static func bytes(of name: String, offset: Int, count: Int) throws -> [UInt8] {
    [UInt8](try bytes(of: name).dropFirst(offset).prefix(count))
  }
}

extension Picture {
  static func decode(_ data: [UInt8], name: String = "picture") throws -> Picture {
    try data.withUnsafeBytes { try decode(bytes: $0, name: name) }
  }
}

/// The largest difference between two pictures' values; nil where their counts differ.
func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int? {
  guard a.count == b.count else { return nil }
  return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
}
