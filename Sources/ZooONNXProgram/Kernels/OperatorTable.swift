/// Which kernel stands for which operator.
///
/// Kernels follow the newest form of their operator and ask for the operator set's version where an older one differs.
/// Source: https://onnx.ai/onnx/operators/.
enum OperatorTable {
  /// Operator sets whose operators the kernels know.
  static let newestOpset = 28

  static func kernel(_ domain: String, _ name: String, opset: Int) -> Kernel? {
    switch domain {
    case "": (1...newestOpset).contains(opset) ? standard[name] : nil
    default: nil
    }
  }

  /// The operators of the standard set, sorted.
  package static var names: [String] { standard.keys.sorted() }

  static func isRandom(_ name: String) -> Bool {
    name.hasPrefix("Random") || ["Bernoulli", "Multinomial", "Dropout"].contains(name)
  }

  private static let standard: [String: Kernel] = [
    elementwise, comparison, activations, reductions, layout, selection, linear, windows, normalisation, quantised,
    resampling, controlFlow, recurrent, sequences, signals, attention, losses,
  ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }
}
