extension Graph {
  /// Names that PyTorch's state dict has beside the parameters and that no computation uses: BatchNorm's counts of
  /// training steps, int64 scalars.
  public var stepCounters: [String] {
    parameters.compactMap { parameter in
      parameter.name.hasSuffix(".running_mean") ? parameter.name.dropLast(12) + "num_batches_tracked" : nil
    }
  }

  /// Names that the original's state dict has beside the parameters, of counts and indices.
  public var integerBuffers: [String] { stepCounters + indexBuffers.map(\.name) }

  /// The layer of the last stage that makes the classes, linear or a convolution: `fc`, `classifier.6`. Its weight and
  /// bias are all that the number of classes changes.
  public var headModule: String? { nodes.last { $0.isLayer && $0.stage == stages.count - 1 }?.name }
}

/// Where windowed attention of the original finds each pair's relative position, int64: ``Attention/Partition/biasRows``.
public struct IndexBuffer: Sendable, Equatable {
  public let name: String
  /// Height and width.
  public let window: [Int]
  public let shape: [Int]

  public var values: [Int64] {
    (Attention.Partition.grid(height: window[0], width: window[1]).biasRows ?? []).map(Int64.init)
  }
}
