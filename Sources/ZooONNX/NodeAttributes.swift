import ZooFormats
import ZooGraph

extension ONNXModel.Node {
  func integer(_ name: String, _ missing: Int) -> Int {
    if case .integer(let value)? = attributes[name] { Int(value) } else { missing }
  }

  func float(_ name: String, _ missing: Float) -> Float {
    if case .float(let value)? = attributes[name] { value } else { missing }
  }

  func string(_ name: String, _ missing: String) -> String {
    if case .string(let value)? = attributes[name] { value } else { missing }
  }

  /// nil where the attribute is missing or some number is out of all proportion.
  func integers(_ name: String) -> [Int]? {
    guard case .integers(let values)? = attributes[name], values.allSatisfy({ abs($0) < 1 << 40 }) else { return nil }
    return values.map { Int($0) }
  }

  /// `pads` or `auto_pad` of a window over two axes; nil where it can't be said by a ``Padding``.
  func padding(windows: Int) -> Padding? {
    switch string("auto_pad", "NOTSET") {
    case "SAME_UPPER": return .same
    case "VALID": return .symmetric(0)
    case "NOTSET":
      let pads = integers("pads") ?? [Int](repeating: 0, count: windows * 2)
      guard windows == 2, pads.count == 4, pads.allSatisfy({ (0...4096).contains($0) }) else { return nil }
      return .explicit(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3])
    default: return nil
    }
  }
}
