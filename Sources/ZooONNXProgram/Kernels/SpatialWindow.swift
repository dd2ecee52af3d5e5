/// A window that slides over one to three spatial axes.
struct SpatialWindow {
  var kernel: [Int]
  var strides: [Int]
  var dilations: [Int]
  /// Padding in front of and behind each axis.
  var before: [Int]
  var after: [Int]
  /// How often the window fits along each axis.
  var output: [Int] = []

  /// Steps from the first to the last cell, and one more.
  func extent(_ axis: Int) -> Int { dilations[axis] * (kernel[axis] - 1) + 1 }

  /// The same over exactly three axes: those that are missing have one cell.
  var overThreeAxes: SpatialWindow {
    let missing = 3 - kernel.count
    func filled(_ list: [Int], _ filler: Int) -> [Int] { [Int](repeating: filler, count: missing) + list }
    return SpatialWindow(
      kernel: filled(kernel, 1), strides: filled(strides, 1), dilations: filled(dilations, 1),
      before: filled(before, 0), after: filled(after, 0), output: filled(output, 1))
  }

  /// For each place of the window along an axis: the inputs it covers, by the kernel's cell.
  func taps(_ axis: Int, size: Int) -> [[(cell: Int, place: Int)]] {
    let step = dilations[axis]
    return (0..<output[axis]).map { position in
      let start = position * strides[axis] - before[axis]
      // Only cells on the input are looked at: a window may be much larger.
      let first = start < 0 ? (-start + step - 1) / step : 0
      let end = size > start ? min(kernel[axis], (size - start + step - 1) / step) : 0
      return first < end ? (first..<end).map { (cell: $0, place: start + $0 * step) } : []
    }
  }
}

/// Sizes that no arithmetic on windows overflows with.
private let largestWindow = 1 << 20

extension KernelCall {
  /// - Parameters:
  ///   - spatial: the input's sizes from the third axis on.
  ///   - kernel: the window's, where the operands say it and not the attributes.
  func window(_ spatial: [Int], kernel given: [Int]? = nil, roundsUp: Bool = false) throws -> SpatialWindow {
    var window = try windowAttributes(spatial.count, kernel: given)
    guard spatial.allSatisfy({ $0 < 1 << 40 }) else {
      throw ONNXProgramError(.tooLarge(shape: spatial, limit: frame.limits.memory))
    }
    let mode = try string("auto_pad", "NOTSET")
    for axis in spatial.indices {
      let (size, step, extent) = (spatial[axis], window.strides[axis], window.extent(axis))
      switch mode {
      case "SAME_UPPER", "SAME_LOWER":
        let output = (size + step - 1) / step
        let total = max(0, (output - 1) * step + extent - size)
        window.before[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        window.after[axis] = total - window.before[axis]
        window.output.append(output)
      case "NOTSET", "VALID", "":
        if mode == "VALID" { (window.before[axis], window.after[axis]) = (0, 0) }
        let room = size + window.before[axis] + window.after[axis] - extent
        guard room >= 0 else { throw ONNXProgramError(.size(found: size, needed: "room for a window of \(extent)")) }
        var output = (roundsUp ? room + step - 1 : room) / step + 1
        // A window that would start behind the input and its padding in front doesn't count.
        if roundsUp, (output - 1) * step >= size + window.before[axis] { output -= 1 }
        window.output.append(output)
      default: throw ONNXProgramError(.badAttribute("auto_pad", found: mode))
      }
    }
    return window
  }

  /// The window without padding by `auto_pad` and without output sizes.
  func windowAttributes(_ axes: Int, kernel given: [Int]?) throws -> SpatialWindow {
    guard (1...3).contains(axes) else { throw ONNXProgramError(.rank(found: axes + 2, needed: "3 to 5")) }
    let kernel = try given ?? integers("kernel_shape") ?? []
    let ones = [Int](repeating: 1, count: axes), pads = try integers("pads") ?? [Int](repeating: 0, count: 2 * axes)
    let strides = try integers("strides") ?? ones, dilations = try integers("dilations") ?? ones
    for (name, list) in [("kernel_shape", kernel), ("strides", strides), ("dilations", dilations)] {
      guard list.count == axes, list.allSatisfy({ (1...largestWindow).contains($0) }) else {
        throw ONNXProgramError(.badAttribute(name, found: "\(list.prefix(8))"))
      }
    }
    guard pads.count == 2 * axes, pads.allSatisfy({ (0...largestWindow).contains($0) }) else {
      throw ONNXProgramError(.badAttribute("pads", found: "\(pads.prefix(8))"))
    }
    return SpatialWindow(
      kernel: kernel, strides: strides, dilations: dilations, before: Array(pads[..<axes]), after: Array(pads[axes...]))
  }

  /// Sizes of a batch of pictures: [N, C] and the spatial ones.
  func pictures(_ value: ONNXValue) throws -> (batch: Int, channels: Int, spatial: [Int]) {
    guard value.rank >= 3 else { throw ONNXProgramError(.rank(found: value.rank, needed: "3 or more")) }
    return (value.shape[0], value.shape[1], Array(value.shape[2...]))
  }
}
