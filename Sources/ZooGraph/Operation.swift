/// Spatial padding of a convolution or pooling window.
public enum Padding: Sendable, Equatable {
  /// Cells added on each side.
  case explicit(top: Int, left: Int, bottom: Int, right: Int)
  /// TensorFlow's SAME: output = ceil(input / stride), the odd cell at the bottom and right.
  case same

  public static func symmetric(_ cells: Int) -> Padding {
    .explicit(top: cells, left: cells, bottom: cells, right: cells)
  }
}

public enum Activation: Sendable, Equatable {
  case relu
  /// min(max(x, 0), 6).
  case relu6
  case sigmoid
  /// x · sigmoid(x), also called swish.
  case silu
  /// x · Φ(x) with the normal distribution's own Φ, (1 + erf(x / √2)) / 2.
  case gelu
  /// x · (1 + tanh(√(2 / π) · (x + 0.044715 x³))) / 2: GPT-2's and T5's approximation of gelu.
  case geluTanh
  /// min(max(x + 3, 0), 6) / 6.
  case hardSigmoid
  /// x · min(max(x + 3, 0), 6) / 6.
  case hardSwish
  case tanh
}

/// What the compiler has merged into an operation; families never set it.
public enum Epilogue: Sendable, Equatable {
  case activation(Activation)
  /// Adds the node's last input (same shape as the output).
  case addResidual
}

/// Two-dimensional convolution, cross-correlation as PyTorch defines it.
///
/// Inputs: x [N, C, H, W], weight [O, C / groups, kH, kW], bias [O] where `hasBias`.
public struct Convolution: Sendable, Equatable {
  public var stride: [Int]
  public var padding: Padding
  public var dilation: [Int]
  public var groups: Int
  public var hasBias: Bool
  public var epilogue: [Epilogue] = []

  public init(
    stride: [Int] = [1, 1], padding: Padding = .symmetric(0), dilation: [Int] = [1, 1],
    groups: Int = 1, hasBias: Bool = false
  ) {
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.hasBias = hasBias
  }
}

/// A pooling window over [N, C, H, W].
public struct Pooling: Sendable, Equatable {
  public var kernel: [Int]
  public var stride: [Int]
  public var padding: Padding
  /// Whether a last, partial window counts (PyTorch's `ceil_mode`).
  public var ceilMode: Bool
  /// Average only: whether padded cells count in the divisor.
  public var countIncludePad: Bool

  public init(
    kernel: [Int], stride: [Int], padding: Padding = .symmetric(0), ceilMode: Bool = false,
    countIncludePad: Bool = true
  ) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.ceilMode = ceilMode
    self.countIncludePad = countIncludePad
  }
}

/// One step of a network. The inputs of each, in order, are given beside it.
public enum Operation: Sendable, Equatable {
  /// x, weight, (bias), (residual).
  case convolution(Convolution)
  /// x [N, C, …], weight [C], bias [C], running mean [C], running variance [C].
  /// `momentum` is PyTorch's: running = (1 - momentum) · running + momentum · batch.
  case batchNormalization(epsilon: Float, momentum: Float)
  /// x.
  case activation(Activation)
  /// x [N, C, H, W].
  case maxPool(Pooling)
  /// x [N, C, H, W].
  case averagePool(Pooling)
  /// x [N, C, H, W]; output [N, C, height, width] with PyTorch's window edges.
  case adaptiveAveragePool(height: Int, width: Int)
  /// x [N, I], weight [O, I], bias [O] where `hasBias`; output [N, O]. Pictures [N, I, H, W] become [N, O, H, W], each
  /// pixel by itself.
  case linear(hasBias: Bool, epilogue: [Epilogue])
  /// x, weight [C], bias [C], C the size of `axis`: every position is normalised along `axis` by its mean and its biased
  /// variance, then scaled and shifted.
  case layerNormalization(axis: Int, epsilon: Float)
  /// x [N, C, …], scale [C] or [C, 1, 1]: each channel times its scale.
  case channelScale
  /// x [N, C, …]: channel c becomes scale[c] · x + shift[c]. The numbers are the network's own and no parameters.
  case channelAffine(scale: [Float], shift: [Float])
  /// x [N, C, H, W], gates [N, C, 1, 1]: each channel of each picture times its gate.
  case gate
  /// Tensors [N, …] that differ in their channels alone: channel i of the output is channel `channels[i]` of them side by
  /// side. Splits, shuffles and reorders channels.
  case gatherChannels([Int])
  /// Tensors that differ along `axis` alone, one after another.
  case concatenate(axis: Int)
  /// a, b of one shape.
  case add
  /// x [N, C, H, W], other [N, …, height, width], of which only the size counts; output [N, C, height, width], bilinear
  /// between pixels' centres as PyTorch's `interpolate` without `align_corners`, not antialiased.
  case resize
  /// x [N, …] to [N, product of the rest].
  case flatten
  /// x; does nothing outside training.
  case dropout(probability: Float)
  /// x, over the last dimension.
  case softmax
  /// The fused projection, (position bias table), (scales); see ``Attention``.
  case attention(Attention)
  /// x [N, D, h, w], class token [1, 1, D], position embedding [1, 1 + patches, D]; output [N, D, 1, 1 + h · w]: the class
  /// token, then the patches row by row, each plus its position's embedding, which ``PositionGrid`` makes fit.
  case tokens
  /// x [N, C, H, W]; see ``Rearrangement``.
  case rearrange(Rearrangement)
  /// x [N, C, …], shift [C]: each channel plus its shift, but for the channels of `exceptions`.
  case channelShift(exceptions: Range<Int>)
  /// A parameter under another shape of as many elements.
  case reshape([Int])
  /// A parameter [I, O] as [O, I].
  case transpose
  /// What only networks of sequences have.
  case sequence(SequenceOperation)
}
