import Foundation
import ZooCheckpoint

/// Decodes and prepares pictures on several threads, a few ahead of whoever takes them.
///
/// Results come in the order of the paths. A broken picture is a result too, so that one bad file among thousands is
/// reported and not fatal. At most `prefetch` prepared pictures are in memory, however many paths there are.
public final class PictureLoader: Sequence, IteratorProtocol, @unchecked Sendable {
  public struct Loaded: Sendable {
    /// Place in the list of paths.
    public let index: Int
    public let path: String
    /// [3, height, width], or why there is none: ``PictureError`` or `FileError`.
    public let input: Result<FloatTensor, any Error>
  }

  private let paths: [String]
  private let preprocessing: Preprocessing
  private let prefetch: Int
  private let changed = NSCondition()
  // All below are guarded by `changed`.
  private var ready: [Int: Result<FloatTensor, any Error>] = [:]
  private var nextToStart = 0
  private var nextToGive = 0
  private var isCancelled = false

  /// - Parameters:
  ///   - threads: at least one is used.
  ///   - prefetch: pictures prepared ahead; nil for two a thread.
  /// - Throws: ``PictureError/badPreprocessing(problem:)``.
  public init(paths: [String], preprocessing: Preprocessing, threads: Int, prefetch: Int? = nil) throws {
    try preprocessing.check()
    self.paths = paths
    self.preprocessing = preprocessing
    let workers = Swift.max(1, Swift.min(threads, paths.count))
    self.prefetch = Swift.max(prefetch ?? workers * 2, 1)
    for _ in 0..<workers {
      // The thread holds the loader only while it works, so that an abandoned loader goes away.
      let thread = Thread { [state = WeakLoader(self)] in while state.loader?.prepareOne() == true {} }
      thread.stackSize = 4 << 20
      thread.start()
    }
  }

  /// Pictures begun so far.
  var started: Int { changed.withLock { nextToStart } }

  /// Ends the threads once each has finished its picture; ``next()`` gives nil from then on.
  public func cancel() {
    changed.withLock {
      isCancelled = true
      changed.broadcast()
    }
  }

  /// The next picture, in order; waits for it. Returns nil after the last.
  public func next() -> Loaded? {
    changed.lock()
    defer { changed.unlock() }
    guard nextToGive < paths.count else { return nil }
    while ready[nextToGive] == nil, !isCancelled { changed.wait() }
    guard !isCancelled, let input = ready.removeValue(forKey: nextToGive) else { return nil }
    defer {
      nextToGive += 1
      changed.broadcast()
    }
    return Loaded(index: nextToGive, path: paths[nextToGive], input: input)
  }

  /// Returns false where nothing is left to do.
  private func prepareOne() -> Bool {
    changed.lock()
    // A short wait, so that a thread without work lets go of a loader that nobody holds.
    if nextToStart < paths.count, nextToStart - nextToGive >= prefetch { _ = changed.wait(until: Date() + 0.1) }
    guard !isCancelled, nextToStart < paths.count else {
      changed.unlock()
      return false
    }
    guard nextToStart - nextToGive < prefetch else {
      changed.unlock()
      return true
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

private struct WeakLoader: @unchecked Sendable {
  weak var loader: PictureLoader?
  init(_ loader: PictureLoader) { self.loader = loader }
}
