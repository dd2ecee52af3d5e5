/// Saves a run at intervals, so that a process that is killed loses little.
struct RunSaver {
  /// Seconds.
  static let interval = 10.0
  /// Saving takes at most this part of a run.
  private static let share = 0.05

  private let path: String
  private let interval: Double
  private var last = ContinuousClock.now
  private var cost = 0.0

  /// - Parameter interval: 0 saves after every step, whatever it costs.
  init(path: String, interval: Double) {
    self.path = path
    self.interval = interval
  }

  var isDue: Bool { (ContinuousClock.now - last).seconds >= (interval > 0 ? max(interval, cost / Self.share) : 0) }

  /// Whether it may be saved at the end of an epoch, from where a run that leads nowhere begins again.
  var isCheap: Bool { (ContinuousClock.now - last).seconds >= cost / Self.share }

  /// - Throws: `FileError`; what was saved before is then as it was.
  mutating func save(_ state: RunState, timing: inout RunTiming) throws {
    let start = ContinuousClock.now
    try timing.measure(\.saving) { try state.write(to: path) }
    last = ContinuousClock.now
    cost = (last - start).seconds
  }
}
