import Foundation
import ZooCheckpoint
import ZooVision

/// A network that takes prepared pictures, several at once.
public protocol PictureNetwork: Sendable {
  associatedtype Output
  /// How pictures are prepared for it.
  var preprocessing: Preprocessing { get }
  /// Pictures that a run takes at most.
  var batch: Int { get }
  /// An output for each picture.
  ///
  /// - Parameter pictures: [3, height, width] each, at most ``batch``.
  func run(prepared pictures: [FloatTensor]) throws -> [Output]
}

/// Runs a network over any number of pictures: they are decoded and prepared by threads of their own while it runs.
///
/// Two batches are prepared ahead at most. The threads give way to those that run the network, which would otherwise wait
/// for each other in the middle of a run.
public struct PicturePipeline {
  public var threads: Int

  /// - Parameter threads: that prepare pictures; nil for one a core.
  public init(threads: Int? = nil) {
    self.threads = threads ?? max(ProcessInfo.processInfo.activeProcessorCount, 1)
  }

  /// - Parameters:
  ///   - paths: the next path, nil after the last; called by one thread at a time.
  ///   - each: gets the results in the order of the paths: an output, or why a picture can't be read.
  /// - Throws: what the network and `each` throw; not what is wrong with a picture.
  public func run<Network: PictureNetwork>(
    _ network: Network, paths: @escaping @Sendable () -> String?,
    each: (_ path: String, _ result: Result<Network.Output, any Error>) throws -> Void
  ) throws {
    let loader = try PictureLoader(
      next: paths, preprocessing: network.preprocessing, threads: threads, prefetch: max(2 * network.batch, threads),
      isYielding: true)
    defer { loader.cancel() }
    var waiting: [PictureLoader.Loaded] = []
    var pictures: [FloatTensor] = []
    func finish() throws {
      var outputs = try pictures.isEmpty ? [] : network.run(prepared: pictures)[...]
      for picture in waiting {
        switch picture.input {
        case .success: if let output = outputs.popFirst() { try each(picture.path, .success(output)) }
        case .failure(let error): try each(picture.path, .failure(error))
        }
      }
      waiting.removeAll(keepingCapacity: true)
      pictures.removeAll(keepingCapacity: true)
    }
    while let picture = loader.next() {
      waiting.append(picture)
      if case .success(let tensor) = picture.input { pictures.append(tensor) }
      // Broken ones alone would pile up.
      if pictures.count == network.batch || waiting.count >= 4 * network.batch { try finish() }
    }
    try finish()
  }
}
