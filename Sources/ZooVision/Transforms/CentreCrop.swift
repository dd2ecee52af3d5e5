/// Where a centre crop lies along one axis; rounds as torchvision's `CenterCrop`.
struct CropSpan: Equatable {
  /// Pixels kept.
  let kept: Range<Int>
  /// Where the first of them goes; not 0 only where the picture is smaller than the crop.
  let padding: Int

  init(of size: Int, to newSize: Int) {
    let spare = size - newSize
    let first = spare > 0 ? Int((Double(spare) / 2).rounded(.toNearestOrEven)) : 0
    kept = first..<first + min(size, newSize)
    padding = spare < 0 ? -spare / 2 : 0
  }
}

extension Picture {
  /// The middle of the picture; where it is smaller, black is added around it.
  public func centreCropped(width newWidth: Int, height newHeight: Int) -> Picture {
    let across = CropSpan(of: width, to: newWidth)
    let down = CropSpan(of: height, to: newHeight)
    return cropped(columns: across.kept, rows: down.kept)
      .padded(left: across.padding, top: down.padding, width: newWidth, height: newHeight)
  }

  func cropped(columns: Range<Int>, rows: Range<Int>) -> Picture {
    guard columns.count < width || rows.count < height else { return self }
    var result: [UInt8] = []
    result.reserveCapacity(columns.count * rows.count * 3)
    for row in rows {
      result += pixels[(row * width + columns.lowerBound) * 3..<(row * width + columns.upperBound) * 3]
    }
    return Picture(width: columns.count, height: rows.count, pixels: result)
  }

  /// The picture on black of another size.
  func padded(left: Int, top: Int, width newWidth: Int, height newHeight: Int) -> Picture {
    guard newWidth > width || newHeight > height else { return self }
    var result = [UInt8](repeating: 0, count: newWidth * newHeight * 3)
    for row in 0..<height {
      let target = ((row + top) * newWidth + left) * 3
      result.replaceSubrange(target..<target + width * 3, with: pixels[row * width * 3..<(row + 1) * width * 3])
    }
    return Picture(width: newWidth, height: newHeight, pixels: result)
  }
}
