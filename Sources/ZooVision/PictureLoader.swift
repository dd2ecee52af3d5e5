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
  public convenience init(
    paths: [String], preprocessing: Preprocessing, threads: Int, prefetch: Int? = nil
  ) throws {
    let rest = Remaining(paths)
    try self.init(
      next: { rest.next() }, preprocessing: preprocessing, threads: Swift.min(threads, paths.count), prefetch: prefetch)
  }

  /// Takes paths one by one as it gets on, so that there may be any number of them.
  ///
  /// - Parameters:
  ///   - next: the next path, nil after the last; called by one thread at a time, and may wait.
  ///   - isYielding: whether the threads give way to all others, such as those that run a network on the pictures.
  /// - Throws: ``PictureError/badPreprocessing(problem:)``.
  public init(
    next: @escaping @Sendable () -> String?, preprocessing: Preprocessing, threads: Int, prefetch: Int? = nil,
    isYielding: Bool = false
  ) throws {
    try preprocessing.check()
    let workers = Swift.max(1, threads)
    let queue = PreparationQueue(
      source: next, preprocessing: preprocessing, prefetch: Swift.max(prefetch ?? workers * 2, 1))
    self.queue = queue
    for _ in 0..<workers {
      let thread = Thread {
        if isYielding { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19) }
        while queue.prepareOne() {}
      }
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

/// What is left of a list; one thread at a time takes from it.
private final class Remaining: @unchecked Sendable {
  private var paths: ArraySlice<String>

  init(_ paths: [String]) { self.paths = paths[...] }

  func next() -> String? { paths.popFirst() }
}

/// What the threads of a loader share.
private final class PreparationQueue: @unchecked Sendable {
  private let source: @Sendable () -> String?
  private let preprocessing: Preprocessing
  private let prefetch: Int
  /// Held by the thread that gets the next path.
  private let asking = NSLock()
  private let changed = NSCondition()
  // All below are guarded by `changed`.
  private var ready: [Int: (path: String, input: Result<FloatTensor, any Error>)] = [:]
  private var nextToStart = 0
  private var nextToGive = 0
  private var hasEnded = false
  private var isCancelled = false

  init(source: @escaping @Sendable () -> String?, preprocessing: Preprocessing, prefetch: Int) {
    self.source = source
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
    while ready[nextToGive] == nil, !isCancelled, !(hasEnded && nextToGive == nextToStart) { changed.wait() }
    guard !isCancelled, let (path, input) = ready.removeValue(forKey: nextToGive) else { return nil }
    defer {
      nextToGive += 1
      changed.broadcast()
    }
    return PictureLoader.Loaded(index: nextToGive, path: path, input: input)
  }

  /// Returns false where nothing is left to do.
  func prepareOne() -> Bool {
    guard let (index, path) = begin() else { return false }
    let input = Result { try preprocessing.apply(Picture.decode(path: path)) }
    changed.withLock {
      ready[index] = (path, input)
      changed.broadcast()
    }
    return true
  }

  /// The next path with its place, once there is room for its picture.
  private func begin() -> (Int, String)? {
    asking.lock()
    defer { asking.unlock() }
    let isOver = changed.withLock {
      while !isCancelled, !hasEnded, nextToStart - nextToGive >= prefetch { changed.wait() }
      return isCancelled || hasEnded
    }
    guard !isOver else { return nil }
    let path = source()
    return changed.withLock {
      guard let path else {
        hasEnded = true
        changed.broadcast()
        return nil
      }
      defer { nextToStart += 1 }
      return (nextToStart, path)
    }
  }
}
