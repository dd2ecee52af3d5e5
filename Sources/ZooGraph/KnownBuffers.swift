extension Graph {
  /// Names that PyTorch's state dict has beside the parameters and that no computation uses: BatchNorm's counts of
  /// training steps, int64 scalars.
  public var stepCounters: [String] {
    parameters.compactMap { parameter in
      parameter.name.hasSuffix(".running_mean") ? parameter.name.dropLast(12) + "num_batches_tracked" : nil
    }
  }

  /// The layer of the last stage that makes the classes, linear or a convolution: `fc`, `classifier.6`. Its weight and
  /// bias are all that the number of classes changes.
  public var headModule: String? { nodes.last { $0.isLayer && $0.stage == stages.count - 1 }?.name }
}
