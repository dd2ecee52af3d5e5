import Foundation
import ZooGraph

/// Attention and what stands around it, as their definitions read.
enum ReferenceAttention {
  /// The fused projection, (position bias table), (scales' logarithms).
  static func attend(_ attention: Attention, _ inputs: [ReferenceValue]) -> [Double] {
    let x = inputs[0]
    let (channels, pixels) = (x.shape[1] / 3, x.shape[2] * x.shape[3])
    let width = channels / attention.heads
    let groups = attention.partition.groups(Array(x.shape[2...]))
    let biasRows = attention.hasPositionBias ? attention.partition.biasRows : nil
    var result = [Double](repeating: 0, count: x.shape[0] * channels * pixels)
    for picture in 0..<x.shape[0] {
      for head in 0..<attention.heads {
        var factor = Double(attention.scale)
        if attention.isCosine, let logarithms = inputs.last {
          factor = min(exp(logarithms.values[head]), Double(Attention.largestCosineScale))
        }
        func vector(_ part: Int, _ token: Int, isNormal: Bool) -> [Double] {
          let values = (0..<width).map { channel in
            x.values[((picture * 3 + part) * channels + head * width + channel) * pixels + token]
          }
          guard isNormal else { return values }
          let norm = max(values.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
          return values.map { $0 / norm }
        }
        for group in 0..<groups.count {
          let places = group * groups.length..<(group + 1) * groups.length
          let tokens = places.map { Int(groups.tokens[$0]) }
          let keys = tokens.map { vector(1, $0, isNormal: attention.isCosine) }
          let values = tokens.map { vector(2, $0, isNormal: false) }
          for query in tokens.indices {
            let own = vector(0, tokens[query], isNormal: attention.isCosine)
            var products = keys.map { key in factor * zip(own, key).reduce(0) { $0 + $1.0 * $1.1 } }
            for key in tokens.indices {
              if let biasRows {
                let row = Int(biasRows[query * tokens.count + key])
                products[key] += inputs[1].values[row * attention.heads + head]
              }
              if let regions = groups.regions,
                regions[places.lowerBound + query] != regions[places.lowerBound + key]
              {
                products[key] += Double(Attention.maskedProduct)
              }
            }
            let peak = products.max() ?? 0
            let powers = products.map { exp($0 - peak) }
            let sum = powers.reduce(0, +)
            for channel in 0..<width {
              let mean = zip(powers, values).reduce(0) { $0 + $1.0 * $1.1[channel] } / sum
              result[(picture * channels + head * width + channel) * pixels + tokens[query]] = mean
            }
          }
        }
      }
    }
    return result
  }

  /// x [N, D, h, w], class token, position embedding.
  static func tokens(_ inputs: [ReferenceValue], node: String) throws -> [Double] {
    let (x, positions) = (inputs[0], inputs[2])
    let (width, pixels) = (x.shape[1], x.shape[2] * x.shape[3])
    guard let grid = PositionGrid(learnt: positions.shape[1] - 1, size: Array(x.shape[2...])) else {
      throw EngineError.unsupported(node: node, problem: "positions don't fit the picture")
    }
    var result: [Double] = []
    for picture in 0..<x.shape[0] {
      for channel in 0..<width {
        result.append(inputs[1].values[channel] + positions.values[channel])
        for pixel in 0..<pixels {
          let position = (pixel * grid.taps..<(pixel + 1) * grid.taps).reduce(0) {
            $0 + Double(grid.factors[$1]) * positions.values[(Int(grid.places[$1]) + 1) * width + channel]
          }
          result.append(x.values[(picture * width + channel) * pixels + pixel] + position)
        }
      }
    }
    return result
  }

  static func rearrange(_ rearrangement: Rearrangement, _ inputs: [ReferenceValue], node: String) throws -> [Double] {
    let x = inputs[0]
    guard let map = rearrangement.map(inputs.map(\.shape)) else {
      throw EngineError.unsupported(node: node, problem: "doesn't fit its input")
    }
    let pixels = x.shape[2] * x.shape[3]
    let perPart = map.sources.count / map.parts
    var result: [Double] = []
    for picture in 0..<x.shape[0] {
      for part in 0..<map.parts {
        for channel in 0..<x.shape[1] {
          for source in map.sources[part * perPart..<(part + 1) * perPart] {
            result.append(source < 0 ? 0 : x.values[(picture * x.shape[1] + channel) * pixels + Int(source)])
          }
        }
      }
    }
    return result
  }
}
