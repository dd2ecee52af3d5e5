import ZooVision

extension Picture {
  /// The picture, made smaller where its longer side is over `side`.
  func thumbnail(_ side: Int) -> Picture {
    let longest = max(width, height)
    guard longest > side else { return self }
    return resized(width: max(1, width * side / longest), height: max(1, height * side / longest), filter: .bicubic)
  }
}
