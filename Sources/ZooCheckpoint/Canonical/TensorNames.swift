extension [String] {
  /// Names of tensors on one line; of many the first ones and how many there are.
  public var listedTensors: String {
    guard count > 12 else { return joined(separator: ", ") }
    return prefix(3).joined(separator: ", ") + ", … (\(count) tensors)"
  }
}
