import Foundation

/// Jobs done on several threads, a few ahead of whoever takes the results, which come in the jobs' order.
public final class WorkAhead<Job: Sendable, Output: Sendable>: Sendable {
  // The threads hold the queue, not this, so that one that is abandoned goes away and takes them along.
  private let queue: WorkQueue<Job, Output>

  /// - Parameters:
  ///   - next: the next job, nil after the last; called by one thread at a time, and may wait.
  ///   - threads: at least one is used.
  ///   - prefetch: results made ahead; nil for two a thread.
  ///   - isYielding: whether the threads give way to all others.
  public init(
    next: @escaping @Sendable () -> Job?, threads: Int, prefetch: Int? = nil, isYielding: Bool = false,
    work: @escaping @Sendable (Job) -> Output
  ) {
    let workers = max(1, threads)
    let queue = WorkQueue(source: next, work: work, prefetch: max(prefetch ?? workers * 2, 1))
    self.queue = queue
    for _ in 0..<workers {
      let thread = Thread {
        if isYielding { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19) }
        while queue.doOne() {}
      }
      thread.stackSize = 4 << 20
      thread.start()
    }
  }

  /// As the other, of jobs that are known.
  public convenience init(
    _ jobs: some Collection<Job>, threads: Int, prefetch: Int? = nil, isYielding: Bool = false,
    work: @escaping @Sendable (Job) -> Output
  ) {
    let list = JobList(jobs)
    self.init(next: { list.next() }, threads: threads, prefetch: prefetch, isYielding: isYielding, work: work)
  }

  /// One thread at a time takes from it.
  private final class JobList: @unchecked Sendable {
    private var jobs: ArraySlice<Job>

    init(_ jobs: some Collection<Job>) { self.jobs = Array(jobs)[...] }

    func next() -> Job? { jobs.popFirst() }
  }

  deinit { queue.cancel() }

  /// Jobs begun so far.
  public var started: Int { queue.started }

  /// Ends the threads once each has finished its job; ``next()`` gives nil from then on.
  public func cancel() { queue.cancel() }

  /// The next result, in order; waits for it. Returns nil after the last.
  public func next() -> (index: Int, job: Job, output: Output)? { queue.next() }
}

/// What the threads share.
private final class WorkQueue<Job: Sendable, Output: Sendable>: @unchecked Sendable {
  private let source: @Sendable () -> Job?
  private let work: @Sendable (Job) -> Output
  private let prefetch: Int
  /// Held by the thread that gets the next job.
  private let asking = NSLock()
  private let changed = NSCondition()
  // All below are guarded by `changed`.
  private var ready: [Int: (job: Job, output: Output)] = [:]
  private var nextToStart = 0
  private var nextToGive = 0
  private var hasEnded = false
  private var isCancelled = false

  init(source: @escaping @Sendable () -> Job?, work: @escaping @Sendable (Job) -> Output, prefetch: Int) {
    self.source = source
    self.work = work
    self.prefetch = prefetch
  }

  var started: Int { changed.withLock { nextToStart } }

  func cancel() {
    changed.withLock {
      isCancelled = true
      changed.broadcast()
    }
  }

  func next() -> (index: Int, job: Job, output: Output)? {
    changed.lock()
    defer { changed.unlock() }
    while ready[nextToGive] == nil, !isCancelled, !(hasEnded && nextToGive == nextToStart) { changed.wait() }
    guard !isCancelled, let (job, output) = ready.removeValue(forKey: nextToGive) else { return nil }
    defer {
      nextToGive += 1
      changed.broadcast()
    }
    return (nextToGive, job, output)
  }

  /// Returns false where nothing is left to do.
  func doOne() -> Bool {
    guard let (index, job) = begin() else { return false }
    let output = work(job)
    changed.withLock {
      ready[index] = (job, output)
      changed.broadcast()
    }
    return true
  }

  /// The next job with its place, once there is room for its result.
  private func begin() -> (Int, Job)? {
    asking.lock()
    defer { asking.unlock() }
    let isOver = changed.withLock {
      while !isCancelled, !hasEnded, nextToStart - nextToGive >= prefetch { changed.wait() }
      return isCancelled || hasEnded
    }
    guard !isOver else { return nil }
    let job = source()
    return changed.withLock {
      guard let job else {
        hasEnded = true
        changed.broadcast()
        return nil
      }
      defer { nextToStart += 1 }
      return (nextToStart, job)
    }
  }
}
