import Foundation
import ZooCheckpoint
import ZooVision

/// Validation pictures that look like training pictures: copies at another size, crop or quality flatter the accuracy.
struct NearDuplicates {
  struct Pair: Sendable, Equatable {
    let training: Example
    let validation: Example
    /// Bits of 64 in which their hashes differ.
    let distance: Int
  }

  /// The difference hash of Krawetz ("Kind of like that", 2013): fewer differing bits than this are taken for one picture.
  static let most = 4
  /// More pictures aren't decoded for it.
  static let limit = 4000

  /// The most alike first.
  static func find(training: [Example], validation: [Example]) -> [Pair] {
    guard training.count + validation.count <= limit else { return [] }
    let learnt = training.concurrentMap { hash($0) }
    let judged = validation.concurrentMap { hash($0) }
    var pairs: [Pair] = []
    for (place, hash) in judged.enumerated() {
      guard let hash else { continue }
      var best: (place: Int, distance: Int)?
      for (other, theirs) in learnt.enumerated() {
        guard let theirs else { continue }
        let distance = (hash ^ theirs).nonzeroBitCount
        if distance <= most, distance < best?.distance ?? .max { best = (other, distance) }
      }
      if let best {
        pairs.append(Pair(training: training[best.place], validation: validation[place], distance: best.distance))
      }
    }
    return pairs.sorted { ($0.distance, $0.validation.name) < ($1.distance, $1.validation.name) }
  }

  /// nil where a picture can't be read, or is too flat to tell it by its hash.
  private static func hash(_ example: Example) -> UInt64? {
    guard let hash = (try? Picture.decode(path: example.path))?.differenceHash else { return nil }
    return (12...52).contains(hash.nonzeroBitCount) ? hash : nil
  }
}

extension Picture {
  /// Whether each pixel of a 9 × 8 gray picture is brighter than its right neighbour.
  var differenceHash: UInt64 {
    let small = resized(width: 9, height: 8, filter: .bilinear)
    func gray(_ x: Int, _ y: Int) -> Int {
      let start = (y * 9 + x) * 3
      return 299 * Int(small.pixels[start]) + 587 * Int(small.pixels[start + 1]) + 114 * Int(small.pixels[start + 2])
    }
    var hash: UInt64 = 0
    for y in 0..<8 {
      for x in 0..<8 { hash = hash << 1 | (gray(x, y) > gray(x + 1, y) ? 1 : 0) }
    }
    return hash
  }
}
