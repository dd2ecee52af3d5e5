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
    let (halfWidth, halfHeight) = (Float(width) / 2, Float(height) / 2)
    for y in 0..<height {
      for x in 0..<width {
        // torch's affine_grid and grid_sample work with places from -1 to 1, in float32.
        let (u, v) = (Float(x) + 0.5 - halfWidth, Float(y) + 0.5 - halfHeight)
        let fromX = (Float(map.xx) * u + Float(map.xy) * v + Float(map.x)) / halfWidth
        let fromY = (Float(map.yx) * u + Float(map.yy) * v + Float(map.y)) / halfHeight
        let column = (((fromX + 1) * Float(width) - 1) / 2).rounded(.toNearestOrEven)
        let row = (((fromY + 1) * Float(height) - 1) / 2).rounded(.toNearestOrEven)
        guard column >= 0, row >= 0, column < Float(width), row < Float(height) else { continue }
        let (from, to) = ((Int(row) * width + Int(column)) * 3, (y * width + x) * 3)
        for channel in 0..<3 { result[to + channel] = pixels[from + channel] }
      }
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
struct AffineMap: Sendable {
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
}
