import Dispatch
import Synchronization

extension Array where Element: Sendable {
  /// What `body` makes of each element, in their order; it runs on every core.
  package func concurrentMap<Result: Sendable>(_ body: @Sendable (Element) -> Result) -> [Result] {
    let results = Slots<Result>(count: count)
    DispatchQueue.concurrentPerform(iterations: count) { results.set($0, body(self[$0])) }
    return results.values
  }
}

/// Results that several threads put in their places.
private final class Slots<Value: Sendable>: Sendable {
  private let places: Mutex<[Value?]>

  init(count: Int) { places = Mutex([Value?](repeating: nil, count: count)) }

  func set(_ index: Int, _ value: Value) { places.withLock { $0[index] = value } }

  var values: [Value] { places.withLock { $0.compactMap(\.self) } }
}
