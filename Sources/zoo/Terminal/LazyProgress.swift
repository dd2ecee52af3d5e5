/// A bar that appears once there is something to count.
final class LazyProgress {
  private let quiet: Bool
  private var bar: Progress?

  init(quiet: Bool) { self.quiet = quiet }

  func update(_ done: Int, _ total: Int) {
    if bar == nil { bar = Progress("evaluating", total: total, quiet: quiet) }
    bar?.update(done)
  }

  func finish() { bar?.finish() }
}
