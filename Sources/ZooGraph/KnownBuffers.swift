import Foundation

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
  /// nil where a network doesn't end in one.
  public var headModule: String? {
    givesClasses ? nodes.last { $0.isLayer && $0.stage == stages.count - 1 }?.name : nil
  }
}

extension Graph {
  /// The buffers of relative coordinates, which follow from the windows.
  public var coordinateTables: [CoordinateTable] {
    parameters.compactMap { parameter in
      guard parameter.isBuffer, parameter.name.hasSuffix("relative_coords_table"), parameter.shape.count == 4 else {
        return nil
      }
      return CoordinateTable(name: parameter.name, shape: parameter.shape)
    }
  }
}

/// Relative positions in a window on a logarithmic scale: Swin Transformer v2's section 3.3 as torchvision computes it, for
/// windows of the size that the weights were trained with.
public struct CoordinateTable: Sendable, Equatable {
  public let name: String
  /// [1, 2 · height - 1, 2 · width - 1, 2].
  public let shape: [Int]

  public init(name: String, shape: [Int]) {
    self.name = name
    self.shape = shape
  }

  public var values: [Float] {
    func scaled(_ place: Int, of count: Int) -> Float {
      let furthest = (count - 1) / 2
      guard furthest > 0 else { return 0 }
      let relative = Float(place - furthest) / Float(furthest) * 8
      let size = log2(abs(relative) + 1) / 3
      return relative < 0 ? -size : size
    }
    return (0..<shape[1]).flatMap { row in
      (0..<shape[2]).flatMap { column in [scaled(row, of: shape[1]), scaled(column, of: shape[2])] }
    }
  }
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
