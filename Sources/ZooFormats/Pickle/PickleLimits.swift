/// How much of anything a pickle may hold; the largest published checkpoints stay a hundredfold below.
struct PickleLimits: Sendable {
  var bytes = 1 << 29
  var opcodes = 1 << 25
  var nodes = 1 << 22
  var stack = 1 << 22
  var marks = 1 << 16
  var memo = 1 << 22
  var globals = 1 << 16
  /// Characters of a class, function or persistent name.
  var nameLength = 4096

  static let standard = PickleLimits()
}
