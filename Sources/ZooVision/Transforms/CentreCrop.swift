extension Picture {
  /// The middle of the picture; where it is smaller, black is added around it first. Rounds as torchvision's `CenterCrop`.
  public func centreCropped(width newWidth: Int, height newHeight: Int) -> Picture {
    let padLeft = newWidth > width ? (newWidth - width) / 2 : 0
    let padTop = newHeight > height ? (newHeight - height) / 2 : 0
    let left = newWidth > width ? 0 : Self.halfToEven(width - newWidth)
    let top = newHeight > height ? 0 : Self.halfToEven(height - newHeight)
    var cropped = [UInt8](repeating: 0, count: newWidth * newHeight * 3)
    let columns = min(newWidth, width)
    for row in 0..<min(newHeight, height) {
      let from = ((row + top) * width + left) * 3
      let to = ((row + padTop) * newWidth + padLeft) * 3
      cropped.replaceSubrange(to..<to + columns * 3, with: pixels[from..<from + columns * 3])
    }
    return Picture(width: newWidth, height: newHeight, pixels: cropped)
  }

  /// Half of a number, ties to even as Python's `round`.
  private static func halfToEven(_ number: Int) -> Int { Int((Double(number) / 2).rounded(.toNearestOrEven)) }
}
