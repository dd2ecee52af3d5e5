import Foundation

/// Changes of geometry, each as `torchvision.transforms.v2.functional` makes it of 8-bit pictures.
extension Picture {
  func mirrored() -> Picture {
    var result = pixels
    for row in 0..<height {
      for column in 0..<width {
        let (from, to) = ((row * width + column) * 3, (row * width + width - 1 - column) * 3)
        for channel in 0..<3 { result[to + channel] = pixels[from + channel] }
      }
    }
    return Picture(width: width, height: height, pixels: result)
  }

  /// A window, at another size.
  func cropped(_ window: CropWindow, resizedTo size: (width: Int, height: Int), filter: Interpolation) -> Picture {
    cropped(
      columns: window.left..<window.left + window.width, rows: window.top..<window.top + window.height
    ).resized(width: size.width, height: size.height, filter: filter)
  }

  /// A turn around the centre, in degrees against the clock; what comes in from outside is black, and pixels are the
  /// nearest, as is torchvision's own choice.
  func rotated(by degrees: Double) -> Picture { transformed(AffineMap(rotation: degrees)) }

  /// - Parameter map: from places of the result to those of the picture, both around its centre.
  func transformed(_ map: AffineMap) -> Picture {
    var result = [UInt8](repeating: 0, count: pixels.count)
    map.eachPixel(width: width, height: height) { from, to in
      for channel in 0..<3 { result[to * 3 + channel] = pixels[from * 3 + channel] }
    }
    return Picture(width: width, height: height, pixels: result)
  }
}

/// A part of a picture.
struct CropWindow: Equatable, Sendable {
  var top: Int
  var left: Int
  var height: Int
  var width: Int
}

/// A linear map of places around a picture's centre, and a shift after it.
struct AffineMap: Sendable, Equatable {
  var (xx, xy, x) = (1.0, 0.0, 0.0)
  var (yx, yy, y) = (0.0, 1.0, 0.0)

  init() {}

  init(rotation degrees: Double) {
    let angle = degrees * .pi / 180
    (xx, xy) = (cos(angle), -sin(angle))
    (yx, yy) = (sin(angle), cos(angle))
  }

  /// As `affine(shear=[degrees(atan(amount)), 0], center=[0, 0])` in RandAugment: around the corner at the top left.
  init(shearX amount: Double, height: Int) {
    xy = amount
    x = amount * Double(height) / 2
  }

  init(shearY amount: Double, width: Int) {
    yx = amount
    y = amount * Double(width) / 2
  }

  /// Moves the picture's content by whole pixels.
  init(shiftX: Int, shiftY: Int) { (x, y) = (-Double(shiftX), -Double(shiftY)) }

  /// Calls `body` with the pixel that is nearest to where each of the result's comes from, and with that; those that come
  /// from outside are left out.
  func eachPixel(width: Int, height: Int, _ body: (_ from: Int, _ to: Int) -> Void) {
    let (halfWidth, halfHeight) = (Float(width) / 2, Float(height) / 2)
    for row in 0..<height {
      for column in 0..<width {
        // torch's affine_grid and grid_sample work with places from -1 to 1, in float32.
        let (u, v) = (Float(column) + 0.5 - halfWidth, Float(row) + 0.5 - halfHeight)
        let fromX = (Float(xx) * u + Float(xy) * v + Float(x)) / halfWidth
        let fromY = (Float(yx) * u + Float(yy) * v + Float(y)) / halfHeight
        let nearestX = (((fromX + 1) * Float(width) - 1) / 2).rounded(.toNearestOrEven)
        let nearestY = (((fromY + 1) * Float(height) - 1) / 2).rounded(.toNearestOrEven)
        guard nearestX >= 0, nearestY >= 0, nearestX < Float(width), nearestY < Float(height) else { continue }
        body(Int(nearestY) * width + Int(nearestX), row * width + column)
      }
    }
  }
}
