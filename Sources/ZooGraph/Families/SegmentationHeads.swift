/// What a segmentation network puts behind a backbone. Tensors are named as torchvision names them.
enum SegmentationHeads {
  /// The fully convolutional head: Long et al., "Fully Convolutional Networks for Semantic Segmentation", 2014
  /// (arXiv:1411.4038), as torchvision's `FCNHead` has it: a quarter of the channels, then the classes.
  static func fullyConvolutional(
    _ b: inout GraphBuilder, _ x: ValueID, from channels: Int, classes: Int
  ) -> ValueID {
    let inner = max(channels / 4, 1)
    var y = b.convolution("0", x, from: channels, to: inner, kernel: 3, padding: .symmetric(1))
    y = b.relu(b.batchNorm("1", y, channels: inner))
    y = b.dropout(y, probability: 0.1)
    return b.convolution("4", y, from: inner, to: classes, kernel: 1, bias: true)
  }

  /// Atrous spatial pyramid pooling and a 3×3 convolution: Chen et al., "Rethinking Atrous Convolution for Semantic Image
  /// Segmentation", 2017 (arXiv:1706.05587), figure 5.
  static func pyramid(
    _ b: inout GraphBuilder, _ x: ValueID, from channels: Int, width: Int, rates: [Int], classes: Int
  ) -> ValueID {
    var y = b.scope("0") { b in
      var branches = [
        b.scope("convs.0") { b in unit(&b, "0", "1", x, from: channels, to: width, kernel: 1) }
      ]
      for (index, rate) in rates.enumerated() {
        branches.append(
          b.scope("convs.\(index + 1)") { b in
            unit(&b, "0", "1", x, from: channels, to: width, kernel: 3, dilation: rate)
          })
      }
      branches.append(
        b.scope("convs.\(rates.count + 1)") { b in
          let pooled = b.adaptiveAveragePool(x, height: 1, width: 1)
          return b.resize(unit(&b, "1", "2", pooled, from: channels, to: width, kernel: 1), like: x)
        })
      let joined = b.concatenate(branches)
      let projected = b.scope("project") { b in
        unit(&b, "0", "1", joined, from: width * branches.count, to: width, kernel: 1)
      }
      return b.dropout(projected, probability: 0.5)
    }
    y = unit(&b, "1", "2", y, from: width, to: width, kernel: 3)
    return b.convolution("4", y, from: width, to: classes, kernel: 1, bias: true)
  }

  /// A convolution that keeps the size, BatchNorm and ReLU.
  static func unit(
    _ b: inout GraphBuilder, _ name: String, _ norm: String, _ x: ValueID, from inputs: Int, to outputs: Int,
    kernel: Int, dilation: Int = 1
  ) -> ValueID {
    let y = b.convolution(
      name, x, from: inputs, to: outputs, kernel: kernel, padding: .symmetric(kernel / 2 * dilation),
      dilation: dilation)
    return b.relu(b.batchNorm(norm, y, channels: outputs))
  }
}
