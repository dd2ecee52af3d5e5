import ZooCheckpoint

/// Why a layer gives other values than in its own framework, as far as trying tells.
public struct KnownCause: Sendable, Encodable {
  public enum Kind: String, Sendable, Encodable {
    case epsilon, trainingMode, swappedParameters, channelOrder, kernelFlip, kernelLayout, padding, stride, dilation
    case missingBias, scaleAndShift, channelPermutation, flattenOrder, transposedWeight, ceilMode, countIncludePad
    case poolingWindow, poolingKind, activation, accumulation
  }
  public let kind: Kind
  /// The layer that it lies in.
  public let layer: String
  /// What the reference does, and what this model does.
  public let words: String
  /// What is left of the departure once that is changed, as a share of the reference's largest value.
  public let remaining: Double
}
