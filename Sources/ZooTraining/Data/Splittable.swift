/// What a split divides.
public protocol Splittable: Sendable {
  /// Unique, and the same on every machine.
  var name: String { get }
  /// Index into the data set's labels; the same for all where there are none.
  var label: Int { get }
  /// SHA-256 of what is learnt from; nil where it can't be read.
  var digest: String? { get }
}
