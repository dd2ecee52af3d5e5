/// When a download that failed is tried again, and how often.
///
/// Pauses double from ``firstPause`` on and are spread by chance, so that many programs that lost one server don't come
/// back at once; a server that says when to come back (`Retry-After`, RFC 9110 section 10.2.3) is obeyed. Only tries that
/// brought nothing new count: a long download may break off often.
public struct Retries: Sendable {
  /// Tries that bring nothing before a download is given up.
  public var attempts = 4
  /// Seconds before the second try.
  public var firstPause = 1.0
  /// A server that wants to be left alone for longer is given up.
  public var longestPause = 120.0

  private var failures = 0
  private var farthest = 0

  public init() {}

  /// Seconds to wait after a failure; nil where it is time to give up.
  ///
  /// - Parameter have: bytes that are here now.
  mutating func pause(after answer: Transfer.Answer, have: Int) -> Double? {
    guard answer.isTransient else { return nil }
    if have > farthest { failures = 0 }
    farthest = max(farthest, have)
    failures += 1
    guard failures < max(attempts, 1) else { return nil }
    if let asked = answer.retryAfter { return asked <= longestPause ? asked : nil }
    let pause = firstPause * Double(1 << min(failures - 1, 16))
    return min(pause, longestPause) * Double.random(in: 0.75...1.25)
  }
}
