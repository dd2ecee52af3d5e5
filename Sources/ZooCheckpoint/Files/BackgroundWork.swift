import Foundation

/// Work on a thread of its own, such as hashing a file while its bytes are copied.
public final class BackgroundWork<Value: Sendable>: @unchecked Sendable {
  private let finished = DispatchSemaphore(value: 0)
  private var result: Result<Value, any Error>?

  public init(_ work: @escaping @Sendable () throws -> Value) {
    let thread = Thread { [self] in
      result = Result(catching: work)
      finished.signal()
    }
    thread.stackSize = 4 << 20
    thread.start()
  }

  /// What the work gave, once it is done. May be called several times.
  public func wait() throws -> Value {
    finished.wait()
    finished.signal()
    guard let result else { throw CancellationError() }
    return try result.get()
  }
}
