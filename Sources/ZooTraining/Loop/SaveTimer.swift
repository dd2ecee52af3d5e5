/// When to save work at intervals, so that a process that is killed loses little and saving takes little.
struct SaveTimer {
  /// Saving takes at most this part of the time.
  private static let share = 0.05

  private let interval: Double
  private var last = ContinuousClock.now
  private var cost = 0.0

  /// - Parameter interval: seconds; 0 saves whenever it is asked, whatever it costs.
  init(interval: Double) { self.interval = interval }

  var isDue: Bool { (ContinuousClock.now - last).seconds >= (interval > 0 ? max(interval, cost / Self.share) : 0) }

  /// Whether saving now costs little, due or not.
  var isCheap: Bool { (ContinuousClock.now - last).seconds >= cost / Self.share }

  mutating func save<E: Error>(_ body: () throws(E) -> Void) throws(E) {
    let start = ContinuousClock.now
    try body()
    last = ContinuousClock.now
    cost = (last - start).seconds
  }
}
