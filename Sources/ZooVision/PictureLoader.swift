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

  private let work: WorkAhead<String, Result<FloatTensor, any Error>>

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
    work = WorkAhead(next: next, threads: threads, prefetch: prefetch, isYielding: isYielding) { path in
      Result { try preprocessing.apply(Picture.decode(path: path)) }
    }
  }

  /// Pictures begun so far.
  var started: Int { work.started }

  /// Ends the threads once each has finished its picture; ``next()`` gives nil from then on.
  public func cancel() { work.cancel() }

  /// The next picture, in order; waits for it. Returns nil after the last.
  public func next() -> Loaded? {
    work.next().map { Loaded(index: $0.index, path: $0.job, input: $0.output) }
  }
}

/// What is left of a list; one thread at a time takes from it.
private final class Remaining: @unchecked Sendable {
  private var paths: ArraySlice<String>

  init(_ paths: [String]) { self.paths = paths[...] }

  func next() -> String? { paths.popFirst() }
}
