/// The changes of geometry of pictures, made of their masks: pixels are the nearest, those from outside are ignored.
extension ClassMask {
  func mirrored() -> ClassMask {
    var result = classes
    for start in stride(from: 0, to: result.count, by: max(width, 1)) { result[start..<start + width].reverse() }
    return ClassMask(width: width, height: height, classes: result)
  }

  func cropped(_ window: CropWindow) -> ClassMask {
    guard window.width < width || window.height < height else { return self }
    var result: [UInt8] = []
    result.reserveCapacity(window.width * window.height)
    for row in window.top..<window.top + window.height {
      result += classes[row * width + window.left..<row * width + window.left + window.width]
    }
    return ClassMask(width: window.width, height: window.height, classes: result)
  }

  /// - Parameter map: from places of the result to those of the mask, both around its centre.
  func transformed(_ map: AffineMap) -> ClassMask {
    var result = [UInt8](repeating: Self.ignored, count: classes.count)
    map.eachPixel(width: width, height: height) { from, to in result[to] = classes[from] }
    return ClassMask(width: width, height: height, classes: result)
  }
}

extension Preprocessing {
  /// The mask of a picture that ``fitted(_:)`` has prepared.
  ///
  /// - Parameter fitted: the prepared picture.
  /// - Throws: ``PictureError/badPreprocessing(problem:)`` where it was cropped.
  public func fitted(_ mask: ClassMask, of fitted: Picture) throws(PictureError) -> ClassMask {
    guard crop == nil else {
      throw .badPreprocessing(problem: "whole pictures have masks, not parts that were cropped")
    }
    return mask.resized(width: fitted.width, height: fitted.height)
  }
}
