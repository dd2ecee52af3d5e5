/// What a segmentation network puts behind a backbone. Tensors are named as torchvision names them.
enum SegmentationHeads {
  /// The fully convolutional head: Long et al., "Fully Convolutional Networks for Semantic Segmentation", 2014
  /// (arXiv:1411.4038), as torchvision's `FCNHead` has it: a quarter of the channels, then the classes.
  static func fullyConvolutional(
    _ b: inout GraphBuilder, _ x: ValueID, from channels: Int, classes: Int
  ) -> ValueID {
    let inner = max(channels / 4, 1)
    var y = b.relu(b.normalizedConvolution(0, x, from: channels, to: inner, kernel: 3))
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
        b.convolutionBlock("convs.0", x, from: channels, to: width, kernel: 1, activation: .relu)
      ]
      for (index, rate) in rates.enumerated() {
        branches.append(
          b.convolutionBlock(
            "convs.\(index + 1)", x, from: channels, to: width, kernel: 3, dilation: rate, activation: .relu))
      }
      branches.append(
        b.scope("convs.\(rates.count + 1)") { b in
          let pooled = b.adaptiveAveragePool(x, height: 1, width: 1)
          let means = b.relu(b.normalizedConvolution(1, pooled, from: channels, to: width, kernel: 1))
          return b.resize(means, like: x)
        })
      let joined = b.concatenate(branches)
      let projected = b.convolutionBlock(
        "project", joined, from: width * branches.count, to: width, kernel: 1, activation: .relu)
      return b.dropout(projected, probability: 0.5)
    }
    y = b.relu(b.normalizedConvolution(1, y, from: width, to: width, kernel: 3))
    return b.convolution("4", y, from: width, to: classes, kernel: 1, bias: true)
  }

  /// An auxiliary classifier, which helps to train the backbone: its tensors are kept, nothing is computed.
  static func addAuxiliary(_ b: inout GraphBuilder, reading feature: SegmentationBackbone.Feature, classes: Int) {
    b.parametersOnly { b in
      _ = b.scope("aux_classifier") { b in
        fullyConvolutional(&b, feature.value, from: feature.channels, classes: classes)
      }
    }
  }
}
