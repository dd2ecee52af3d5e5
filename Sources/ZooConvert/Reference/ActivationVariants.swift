import Foundation

/// Activations that are taken for one another, element by element in double precision.
enum KnownActivation: String, CaseIterable {
  case relu = "ReLU"
  case relu6 = "ReLU6"
  case leaky = "leaky ReLU (0.01)"
  case leakyTenth = "leaky ReLU (0.1)"
  case leakyFifth = "leaky ReLU (0.2)"
  case sigmoid = "sigmoid"
  case tanh = "tanh"
  case silu = "SiLU (swish)"
  case gelu = "GELU (exact, erf)"
  case geluTanh = "GELU (tanh approximation)"
  case geluQuick = "GELU (sigmoid approximation)"
  case elu = "ELU"
  case softplus = "softplus"
  case mish = "Mish"
  case hardSigmoid = "hard sigmoid"
  case hardSwish = "hard swish"
  case none = "no activation"

  func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .relu: max(x, 0)
    case .relu6: min(max(x, 0), 6)
    case .leaky: x < 0 ? 0.01 * x : x
    case .leakyTenth: x < 0 ? 0.1 * x : x
    case .leakyFifth: x < 0 ? 0.2 * x : x
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: Foundation.tanh(x)
    case .silu: x / (1 + exp(-x))
    case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    case .geluTanh: 0.5 * x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .geluQuick: x / (1 + exp(-1.702 * x))
    case .elu: x < 0 ? expm1(x) : x
    case .softplus: x > 30 ? x : log1p(exp(x))
    case .mish: x * Foundation.tanh(x > 30 ? x : log1p(exp(x)))
    case .hardSigmoid: min(max(x / 6 + 0.5, 0), 1)
    case .hardSwish: x * min(max(x / 6 + 0.5, 0), 1)
    case .none: x
    }
  }
}
