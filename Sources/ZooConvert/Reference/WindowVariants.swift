import ZooCheckpoint
import ZooGraph

extension VariantContext {
  /// Of a convolution: weight [O, C / groups, kH, kW].
  func variants(of convolution: Convolution) throws -> [Variant] {
    guard let weight = parameters[1], weight.shape.count == 4 else { return [] }
    return try kernelVariants(weight, convolution) + windowVariants(of: convolution, kernel: Array(weight.shape[2...]))
      + biasVariants(of: convolution)
  }

  private func kernelVariants(_ weight: FloatTensor, _ convolution: Convolution) throws -> [Variant] {
    var variants: [Variant] = []
    func add(_ kind: KnownCause.Kind, _ words: String, _ changed: FloatTensor?) {
      guard let changed, changed.shape == weight.shape else { return }
      variants.append(Variant(kind: kind, words: words, node: node, replacing: [1: changed]))
    }
    let shape = weight.shape
    if shape[1] == 3, convolution.groups == 1 {
      add(
        .channelOrder, "channel order: the reference reads its input's channels the other way round (BGR and RGB)",
        try weight.laidOut(.flip([1])))
    }
    if shape[2] > 1 || shape[3] > 1 {
      add(
        .kernelFlip, "a flipped kernel: the reference convolves with the kernel turned by 180 degrees",
        try weight.laidOut(.flip([2, 3])))
      add(.kernelFlip, "a kernel flipped in height", try weight.laidOut(.flip([2])))
      add(.kernelFlip, "a kernel flipped in width", try weight.laidOut(.flip([3])))
      add(
        .kernelLayout, "a transposed kernel: height and width are exchanged",
        try weight.laidOut(.permute([0, 1, 3, 2])))
      add(
        .kernelLayout, "a transposed and flipped kernel", try weight.laidOut(.permute([0, 1, 3, 2]), .flip([2, 3])))
    }
    add(
      .kernelLayout, "a transposed kernel: inputs and outputs are exchanged",
      try weight.laidOut(.permute([1, 0, 2, 3])))
    add(
      .kernelLayout, "the kernel's layout: its values stand as height, width, inputs, outputs (HWIO)",
      try weight.laidOut(.reshape([shape[2], shape[3], shape[1], shape[0]]), .permute([3, 2, 0, 1])))
    add(
      .kernelLayout, "the kernel's layout: its values stand as outputs, height, width, inputs (OHWI)",
      try weight.laidOut(.reshape([shape[0], shape[2], shape[3], shape[1]]), .permute([0, 3, 1, 2])))
    return variants
  }

  private func windowVariants(of convolution: Convolution, kernel: [Int]) -> [Variant] {
    var variants: [Variant] = []
    func add(_ kind: KnownCause.Kind, _ words: String, _ change: (inout Convolution) -> Void) {
      var other = convolution
      change(&other)
      guard other != convolution else { return }
      variants.append(Variant(kind: kind, words: words, node: changed(.convolution(other))))
    }
    let paddings = Self.paddings(kernel: kernel, dilation: convolution.dilation)
    for (padding, words) in paddings {
      add(.padding, "padding: the reference pads \(words), this model \(Self.spell(convolution.padding))") {
        $0.padding = padding
      }
    }
    for stride in [1, 2, 4, 3] {
      let words = "stride placement: the reference steps by \(stride) here, this model by \(convolution.stride[0])"
      add(.stride, words) { $0.stride = [stride, stride] }
      for (padding, spelling) in paddings where stride != convolution.stride[0] {
        add(.stride, words + ", and it pads \(spelling)") {
          $0.stride = [stride, stride]
          $0.padding = padding
        }
      }
    }
    for dilation in [1, 2, 4] {
      add(.dilation, "dilation: the reference's is \(dilation), this model's \(convolution.dilation[0])") {
        $0.dilation = [dilation, dilation]
        $0.padding = .symmetric(dilation * (kernel[0] - 1) / 2)
      }
    }
    return variants
  }

  private func biasVariants(of convolution: Convolution) -> [Variant] {
    guard convolution.hasBias else { return [] }
    var other = convolution
    other.hasBias = false
    var without = changed(.convolution(other))
    without.inputs.remove(at: 2)
    return [Variant(kind: .missingBias, words: "bias: the reference adds none", node: without)]
  }

  /// Of pooling windows.
  func variants(of pooling: Pooling, isMaximum: Bool) -> [Variant] {
    var variants: [Variant] = []
    func add(_ kind: KnownCause.Kind, _ words: String, _ change: (inout Pooling) -> Void) {
      var other = pooling
      change(&other)
      guard other != pooling else { return }
      variants.append(
        Variant(kind: kind, words: words, node: changed(isMaximum ? .maxPool(other) : .averagePool(other))))
    }
    let yes = { (value: Bool) in value ? "yes" : "no" }
    add(.ceilMode, "ceil_mode: the reference's is \(yes(!pooling.ceilMode)), this model's \(yes(pooling.ceilMode))") {
      $0.ceilMode.toggle()
    }
    let counts = pooling.countIncludePad
    let countWords = "count_include_pad: the reference's is \(yes(!counts)), this model's \(yes(counts))"
    if !isMaximum { add(.countIncludePad, countWords) { $0.countIncludePad.toggle() } }
    for (padding, words) in Self.paddings(kernel: pooling.kernel, dilation: [1, 1]) {
      for toggles in isMaximum ? [false] : [false, true] {
        add(
          .padding,
          "padding: the reference pads \(words), this model \(Self.spell(pooling.padding))"
            + (toggles ? ", and " + countWords : "")
        ) {
          $0.padding = padding
          if toggles { $0.countIncludePad.toggle() }
        }
      }
    }
    for (kernel, stride) in [(2, 2), (3, 2), (3, 1), (2, 1), (3, 3)] {
      for padding in [0, kernel / 2] {
        add(
          .poolingWindow,
          "pooling: the reference's window is \(kernel)×\(kernel) with steps of \(stride) and padding \(padding)"
        ) {
          $0.kernel = [kernel, kernel]
          $0.stride = [stride, stride]
          $0.padding = .symmetric(padding)
        }
      }
    }
    let other: Operation = isMaximum ? .averagePool(pooling) : .maxPool(pooling)
    variants.append(
      Variant(
        kind: .poolingKind, words: "pooling: the reference takes the \(isMaximum ? "mean" : "largest") of each window",
        node: changed(other)))
    return variants
  }

  private static func paddings(kernel: [Int], dilation: [Int]) -> [(Padding, String)] {
    let cells = zip(kernel, dilation).map { ($0 - 1) * $1 / 2 }
    let middle = Padding.explicit(top: cells[0], left: cells[1], bottom: cells[0], right: cells[1])
    return [(.same, spell(.same)), (middle, spell(middle)), (.symmetric(0), spell(.symmetric(0)))]
  }

  private static func spell(_ padding: Padding) -> String {
    switch padding {
    case .same: "as TensorFlow's SAME"
    case .explicit(0, 0, 0, 0): "nothing"
    case .explicit(let top, let left, let bottom, let right) where top == bottom && left == right:
      top == left ? "\(top) on each side" : "\(top) above and below, \(left) left and right"
    case .explicit(let top, let left, let bottom, let right):
      "\(top) above, \(left) left, \(bottom) below, \(right) right"
    }
  }
}
