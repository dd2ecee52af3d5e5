/// VGG: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014
/// (arXiv:1409.1556), table 1, optionally with BatchNorm after each convolution.
public enum VGG: NetworkFamily {
  public static let name = "vgg"

  public struct Config: Codable, Sendable, Equatable {
    /// Outputs of each block's 3×3 convolutions; a 2×2 max pooling ends each block.
    public var blocks: [[Int]]
    /// Default false.
    public var batchNorm: Bool?
    /// Width of the two hidden linear layers; default 4096.
    public var hidden: Int?
    /// Side of the grid that the features are pooled to; default 7.
    public var pooled: Int?
    /// Default 0.5.
    public var dropout: Float?

    public init(
      blocks: [[Int]], batchNorm: Bool? = nil, hidden: Int? = nil, pooled: Int? = nil, dropout: Float? = nil
    ) {
      self.blocks = blocks
      self.batchNorm = batchNorm
      self.hidden = hidden
      self.pooled = pooled
      self.dropout = dropout
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    let hidden = config.hidden ?? 4096
    let pooled = config.pooled ?? 7
    let dropout = config.dropout ?? 0.5
    let check = ConfigCheck(family: name)
    try check.require(config.blocks.count, in: 1...16, "number of blocks")
    for block in config.blocks {
      try check.require(block.count, in: ConfigCheck.blocks, "convolutions of a block")
      for width in block { try check.require(width, in: ConfigCheck.channels, "blocks") }
    }
    try check.require(hidden, in: ConfigCheck.channels, "hidden")
    try check.require(pooled, in: 1...64, "pooled")
    try check.requireProbability(dropout, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")

    var b = GraphBuilder()
    var x = b.input
    var width = 3
    var module = 0
    for (index, block) in config.blocks.enumerated() {
      b.beginStage(index == 0 ? "stem" : "block\(index + 1)")
      for outputs in block {
        x = b.scope("features") { b in
          var y = b.convolution(
            "\(module)", x, from: width, to: outputs, kernel: 3, padding: .symmetric(1), bias: true)
          module += 1
          if config.batchNorm == true {
            y = b.batchNorm("\(module)", y, channels: outputs)
            module += 1
          }
          return b.relu(y)
        }
        module += 1
        width = outputs
      }
      x = b.maxPool(x, Pooling(kernel: [2, 2], stride: [2, 2]))
      module += 1
    }
    x = b.adaptiveAveragePool(x, height: pooled, width: pooled)
    x = b.flatten(x)
    return b.scope("classifier") { b in
      b.beginStage("fc6")
      x = b.relu(b.linear("0", x, from: width * pooled * pooled, to: hidden))
      b.beginStage("fc7")
      x = b.dropout(x, probability: dropout)
      x = b.relu(b.linear("3", x, from: hidden, to: hidden))
      b.beginStage("head")
      x = b.dropout(x, probability: dropout)
      x = b.linear("6", x, from: hidden, to: classes)
      return b.finish(outputs: [x])
    }
  }
}
