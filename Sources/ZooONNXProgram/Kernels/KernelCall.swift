import ZooCheckpoint
import ZooFormats

/// One call of a kernel: the node with its attributes, the values of its inputs, and what it may use.
struct KernelCall {
  let step: Step
  /// nil where an input is left out.
  let inputs: [ONNXValue?]
  let frame: Frame
  let kernels: NativeKernels

  var opset: Int { step.opset }
  var outputCount: Int { step.node.outputs.count }

  func wants(_ output: Int) -> Bool { output < step.outputs.count && step.outputs[output] != nil }

  // MARK: inputs

  func optional(_ position: Int) -> ONNXValue? { position < inputs.count ? inputs[position] : nil }

  func input(_ position: Int) throws -> ONNXValue {
    guard let value = optional(position) else { throw ONNXProgramError(.missingInput(position: position)) }
    return value
  }

  func isConstant(_ position: Int) -> Bool { position < step.isConstant.count && step.isConstant[position] }

  /// Every input that is there.
  func given() throws -> [ONNXValue] {
    let values = inputs.compactMap { $0 }
    guard !values.isEmpty else { throw ONNXProgramError(.missingInput(position: 0)) }
    return values
  }

  // MARK: attributes

  func integer(_ name: String, _ missing: Int) throws -> Int {
    switch step.node.attributes[name] {
    case .integer(let value)?: Self.proportionate(value)
    case nil: missing
    default: throw ONNXProgramError(.badAttribute(name, found: "it is no integer"))
    }
  }

  func flag(_ name: String, _ missing: Bool) throws -> Bool { try integer(name, missing ? 1 : 0) != 0 }

  func float(_ name: String, _ missing: Float) throws -> Float {
    switch step.node.attributes[name] {
    case .float(let value)?: value
    case nil: missing
    default: throw ONNXProgramError(.badAttribute(name, found: "it is no number"))
    }
  }

  func string(_ name: String, _ missing: String) throws -> String {
    switch step.node.attributes[name] {
    case .string(let value)?: value
    case nil: missing
    default: throw ONNXProgramError(.badAttribute(name, found: "it is no text"))
    }
  }

  /// nil where the node doesn't have it.
  func integers(_ name: String) throws -> [Int]? {
    switch step.node.attributes[name] {
    case .integers(let values)?: values.map { Self.proportionate($0) }
    case .floats(let values)? where values.isEmpty: []
    case nil: nil
    default: throw ONNXProgramError(.badAttribute(name, found: "it is no list of integers"))
    }
  }

  func floats(_ name: String) throws -> [Float]? {
    switch step.node.attributes[name] {
    case .floats(let values)?: values
    case .integers(let values)? where values.isEmpty: []
    case nil: nil
    default: throw ONNXProgramError(.badAttribute(name, found: "it is no list of numbers"))
    }
  }

  func strings(_ name: String) throws -> [String]? {
    switch step.node.attributes[name] {
    case .strings(let values)?: values
    case nil: nil
    default: throw ONNXProgramError(.badAttribute(name, found: "it is no list of texts"))
    }
  }

  /// The element type that an attribute names by ONNX's number.
  func dtype(_ name: String) throws -> DType? {
    guard step.node.attributes[name] != nil else { return nil }
    let number = try integer(name, 0)
    guard let dtype = ONNXDataType.dtype(number), dtype.isCalculable else {
      throw ONNXProgramError(.badAttribute(name, found: "zoo doesn't calculate with ONNX type \(number)"))
    }
    return dtype
  }

  /// Kernels add numbers and multiply two of them; what is beyond all memory is brought to its edge, where no product of
  /// a size and a number overflows.
  private static func proportionate(_ value: Int64) -> Int {
    // The largest number means "to the end".
    if value > Int64(1) << 40 { return 1 << 40 }
    if value < -(Int64(1) << 40) { return -(1 << 40) }
    return Int(value)
  }

  // MARK: sizes

  func axis(_ axis: Int, rank: Int) throws -> Int {
    guard axis >= -rank, axis < rank else { throw ONNXProgramError(.axis(axis, rank: rank)) }
    return axis < 0 ? axis + rank : axis
  }

  func axis(_ name: String, _ missing: Int, rank: Int) throws -> Int {
    try axis(integer(name, missing), rank: rank)
  }

  /// Different axes, counted from the first.
  func axes(_ axes: [Int], rank: Int) throws -> [Int] {
    let result = try axes.map { try axis($0, rank: rank) }
    guard Set(result).count == result.count else { throw ONNXProgramError(.axis(axes.first ?? 0, rank: rank)) }
    return result
  }

  /// `axes` from the attribute or, in newer operator sets, from an input; nil where neither is there.
  func axes(input position: Int, rank: Int) throws -> [Int]? {
    if let listed = try integers("axes") { return try axes(listed, rank: rank) }
    guard let value = optional(position) else { return nil }
    return try axes(value.integers(), rank: rank)
  }

  /// The number of elements of a value to be made.
  func count(_ shape: [Int], size: Int = 8) throws -> Int { try frame.count(shape, size: size) }

  /// A tensor's element type, which half the kernels treat alike.
  func dtype(of value: ONNXValue) throws -> DType {
    guard let dtype = value.dtype else { throw ONNXProgramError(.notTensor) }
    return dtype
  }

  /// A single number.
  func scalar(_ position: Int) throws -> Double {
    guard let value = try input(position).doubles().first else { throw ONNXProgramError(.empty) }
    return value
  }

  func integerScalar(_ position: Int) throws -> Int {
    guard let value = try input(position).integers().first else { throw ONNXProgramError(.empty) }
    return value
  }

  // MARK: bodies

  /// Runs a body once.
  func run(_ name: String, _ arguments: [ONNXValue]) throws -> [ONNXValue] {
    guard let body = step.bodies[name] else { throw ONNXProgramError(.missingAttribute(name)) }
    guard arguments.count >= body.inputs.count else {
      throw ONNXProgramError(.count(found: arguments.count, needed: body.inputs.count))
    }
    for (place, value) in zip(body.inputs, arguments) { try frame.store(value, at: place) }
    try frame.run(body, kernels: kernels)
    let results = try body.outputs.map { place in
      guard let value = frame.values[place] else { throw ONNXProgramError(.empty) }
      return value
    }
    for place in body.own { frame.release(place) }
    return results
  }
}

extension DType {
  /// Whether programs hold values of this type: all but 8-bit floats.
  var isCalculable: Bool { self != .float8E4M3 && self != .float8E5M2 }
  var isHalf: Bool { self == .float16 || self == .bfloat16 }
}
