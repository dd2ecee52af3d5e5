import Foundation
import ZooCheckpoint

/// Decodes and prepares pictures on several threads, a few ahead of whoever takes them.
///
/// Results come in the order of the paths. A broken picture is a result too, so that one bad file among thousands is
/// reported and not fatal. At most `prefetch` prepared pictures are in memory, however many paths there are.
public final class PictureLoader: Sequence, IteratorProtocol, Sendable {
  public struct Loaded: Sendable {
    /// Place in the list of paths.
    public let index: Int
    public let path: String
    /// [3, height, width], or why there is none: ``PictureError`` or `FileError`.
    public let input: Result<FloatTensor, any Error>
  }

  // The threads hold the queue, not the loader, so that an abandoned loader goes away and takes them along.
  private let queue: PreparationQueue

  /// - Parameters:
  ///   - threads: at least one is used.
  ///   - prefetch: pictures prepared ahead; nil for two a thread.
  /// - Throws: ``PictureError/badPreprocessing(problem:)``.
  public init(paths: [String], preprocessing: Preprocessing, threads: Int, prefetch: Int? = nil) throws {
    try preprocessing.check()
    let workers = Swift.max(1, Swift.min(threads, paths.count))
    let queue = PreparationQueue(
      paths: paths, preprocessing: preprocessing, prefetch: Swift.max(prefetch ?? workers * 2, 1))
    self.queue = queue
    for _ in 0..<workers {
      let thread = Thread { while queue.prepareOne() {} }
      thread.stackSize = 4 << 20
      thread.start()
    }
  }

  deinit { queue.cancel() }

  /// Pictures begun so far.
  var started: Int { queue.started }

  /// Ends the threads once each has finished its picture; ``next()`` gives nil from then on.
  public func cancel() { queue.cancel() }

  /// The next picture, in order; waits for it. Returns nil after the last.
  public func next() -> Loaded? { queue.next() }
}

/// What the threads of a loader share.
private final class PreparationQueue: @unchecked Sendable {
  private let paths: [String]
  private let preprocessing: Preprocessing
  private let prefetch: Int
  private let changed = NSCondition()
  // All below are guarded by `changed`.
  private var ready: [Int: Result<FloatTensor, any Error>] = [:]
  private var nextToStart = 0
  private var nextToGive = 0
  private var isCancelled = false

  init(paths: [String], preprocessing: Preprocessing, prefetch: Int) {
    self.paths = paths
    self.preprocessing = preprocessing
    self.prefetch = prefetch
  }

  var started: Int { changed.withLock { nextToStart } }

  func cancel() {
    changed.withLock {
      isCancelled = true
      changed.broadcast()
    }
  }

  func next() -> PictureLoader.Loaded? {
    changed.lock()
    defer { changed.unlock() }
    guard nextToGive < paths.count else { return nil }
    while ready[nextToGive] == nil, !isCancelled { changed.wait() }
    guard !isCancelled, let input = ready.removeValue(forKey: nextToGive) else { return nil }
    defer {
      nextToGive += 1
      changed.broadcast()
    }
    return PictureLoader.Loaded(index: nextToGive, path: paths[nextToGive], input: input)
  }

  /// Returns false where nothing is left to do.
  func prepareOne() -> Bool {
    changed.lock()
    while !isCancelled, nextToStart < paths.count, nextToStart - nextToGive >= prefetch { changed.wait() }
    guard !isCancelled, nextToStart < paths.count else {
      changed.unlock()
      return false
    }
    let index = nextToStart
    nextToStart += 1
    changed.unlock()
    let input = Result { try preprocessing.apply(Picture.decode(path: paths[index])) }
    changed.withLock {
      ready[index] = input
      changed.broadcast()
    }
    return true
  }
}
