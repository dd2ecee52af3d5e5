/// AlexNet as published weights have it: Krizhevsky, "One weird trick for parallelizing convolutional neural networks",
/// 2014 (arXiv:1404.5997), which has no local response normalisation and one group.
public enum AlexNet: NetworkFamily {
  public static let name = "alexnet"

  public struct Config: Codable, Sendable, Equatable {
    /// Outputs of the five convolutions; default 64, 192, 384, 256, 256.
    public var channels: [Int]?
    /// Width of the two hidden linear layers; default 4096.
    public var hidden: Int?
    /// Default 0.5.
    public var dropout: Float?

    public init(channels: [Int]? = nil, hidden: Int? = nil, dropout: Float? = nil) {
      self.channels = channels
      self.hidden = hidden
      self.dropout = dropout
    }
  }

  private struct Layer {
    let module: Int
    let kernel: Int
    let stride: Int
    let padding: Int
    let isPooled: Bool
  }

  private static let layers = [
    Layer(module: 0, kernel: 11, stride: 4, padding: 2, isPooled: true),
    Layer(module: 3, kernel: 5, stride: 1, padding: 2, isPooled: true),
    Layer(module: 6, kernel: 3, stride: 1, padding: 1, isPooled: false),
    Layer(module: 8, kernel: 3, stride: 1, padding: 1, isPooled: false),
    Layer(module: 10, kernel: 3, stride: 1, padding: 1, isPooled: true),
  ]

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    let channels = config.channels ?? [64, 192, 384, 256, 256]
    let hidden = config.hidden ?? 4096
    let dropout = config.dropout ?? 0.5
    let check = ConfigCheck(family: name)
    try check.require(channels.count == 5, "channels", found: channels, expected: "5 numbers")
    for width in channels { try check.require(width, in: ConfigCheck.channels, "channels") }
    try check.require(hidden, in: ConfigCheck.channels, "hidden")
    try check.requireProbability(dropout, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")

    var b = GraphBuilder()
    var x = b.input
    var width = 3
    for (index, layer) in layers.enumerated() {
      b.beginStage(index == 0 ? "stem" : "conv\(index + 1)")
      x = b.scope("features") { b in
        let y = b.convolution(
          "\(layer.module)", x, from: width, to: channels[index], kernel: layer.kernel, stride: layer.stride,
          padding: .symmetric(layer.padding), bias: true)
        return b.relu(y)
      }
      if layer.isPooled { x = b.maxPool(x, Pooling(kernel: [3, 3], stride: [2, 2])) }
      width = channels[index]
    }
    x = b.adaptiveAveragePool(x, height: 6, width: 6)
    x = b.flatten(x)
    return b.scope("classifier") { b in
      b.beginStage("fc6")
      x = b.dropout(x, probability: dropout)
      x = b.relu(b.linear("1", x, from: width * 36, to: hidden))
      b.beginStage("fc7")
      x = b.dropout(x, probability: dropout)
      x = b.relu(b.linear("4", x, from: hidden, to: hidden))
      b.beginStage("head")
      x = b.linear("6", x, from: hidden, to: classes)
      return b.finish(outputs: [x])
    }
  }
}
