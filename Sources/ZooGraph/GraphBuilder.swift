/// Writes a graph down as a paper's table reads: each call adds a module and gives back its output.
///
/// Module paths nest with ``scope(_:_:)``, stages with ``stage(_:_:)``; parameters are named `path.weight` and so on,
/// as PyTorch's state dict names them.
public struct GraphBuilder {
  public internal(set) var graph = Graph()
  private var path: [String] = []

  public init() {}

  public var input: ValueID { graph.input }

  /// Everything that `body` adds is named under `name`.
  public mutating func scope<R>(_ name: String, _ body: (inout GraphBuilder) throws -> R) rethrows -> R {
    path.append(name)
    defer { path.removeLast() }
    return try body(&self)
  }

  /// Everything from here on belongs to a new stage; call it once a stage, from the stem to the head.
  public mutating func beginStage(_ name: String) { graph.stages.append(name) }

  /// - Parameter givesClasses: whether the last layer gives a number for each of the user's classes.
  public mutating func finish(outputs: [ValueID], givesClasses: Bool = true) -> Graph {
    graph.outputs = outputs
    graph.givesClasses = givesClasses
    return graph
  }

  func fullName(_ name: String) -> String { (path + [name]).joined(separator: ".") }

  mutating func parameter(
    _ name: String, _ shape: [Int], isBuffer: Bool = false, initial: InitialValues? = nil
  ) -> ValueID {
    let value = graph.makeValue()
    graph.parameters.append(Parameter(name: name, shape: shape, isBuffer: isBuffer, value: value, initial: initial))
    return value
  }

  mutating func add(_ operation: Operation, _ inputs: [ValueID], name: String) -> ValueID {
    let output = graph.makeValue()
    graph.nodes.append(
      Node(
        operation: operation, inputs: inputs, output: output, name: fullName(name),
        stage: max(graph.stages.count - 1, 0)))
    return output
  }

  /// `nn.Conv2d`: weight [outputs, inputs / groups, kernel, kernel].
  public mutating func convolution(
    _ name: String, _ x: ValueID, from inputs: Int, to outputs: Int, kernel: Int, stride: Int = 1,
    padding: Padding = .symmetric(0), dilation: Int = 1, groups: Int = 1, bias: Bool = false
  ) -> ValueID {
    convolution(
      name, x, from: inputs, to: outputs, kernel: [kernel, kernel], stride: stride, padding: padding,
      dilation: dilation, groups: groups, bias: bias)
  }

  /// `nn.Conv2d` with a window of another height than width: weight [outputs, inputs / groups, height, width].
  public mutating func convolution(
    _ name: String, _ x: ValueID, from inputs: Int, to outputs: Int, kernel: [Int], stride: Int = 1,
    padding: Padding = .symmetric(0), dilation: Int = 1, groups: Int = 1, bias: Bool = false
  ) -> ValueID {
    let module = fullName(name)
    var operands = [x, parameter(module + ".weight", [outputs, inputs / groups] + kernel)]
    if bias { operands.append(parameter(module + ".bias", [outputs])) }
    return add(
      .convolution(
        Convolution(
          stride: [stride, stride], padding: padding, dilation: [dilation, dilation], groups: groups, hasBias: bias)),
      operands, name: name)
  }

  /// `nn.BatchNorm2d`: weight, bias, running_mean, running_var, each [channels].
  public mutating func batchNorm(
    _ name: String, _ x: ValueID, channels: Int, epsilon: Float = 1e-5, momentum: Float = 0.1
  ) -> ValueID {
    let module = fullName(name)
    let operands = [
      x, parameter(module + ".weight", [channels]), parameter(module + ".bias", [channels]),
      parameter(module + ".running_mean", [channels], isBuffer: true),
      parameter(module + ".running_var", [channels], isBuffer: true),
    ]
    return add(.batchNormalization(epsilon: epsilon, momentum: momentum), operands, name: name)
  }

  /// `nn.Linear`: weight [outputs, inputs], bias [outputs].
  ///
  /// - Parameter initial: of the weight.
  public mutating func linear(
    _ name: String, _ x: ValueID, from inputs: Int, to outputs: Int, bias: Bool = true, initial: InitialValues? = nil
  ) -> ValueID {
    let module = fullName(name)
    var operands = [x, parameter(module + ".weight", [outputs, inputs], initial: initial)]
    if bias { operands.append(parameter(module + ".bias", [outputs])) }
    return add(.linear(hasBias: bias, epilogue: []), operands, name: name)
  }

  /// `nn.LayerNorm` over the channels of [N, C, …]: weight, bias, each [channels].
  public mutating func layerNorm(_ name: String, _ x: ValueID, channels: Int, epsilon: Float) -> ValueID {
    let module = fullName(name)
    let operands = [x, parameter(module + ".weight", [channels]), parameter(module + ".bias", [channels])]
    return add(.layerNormalization(axis: 1, epsilon: epsilon), operands, name: name)
  }

  /// A learnt factor for each channel, named as it stands, `initial` at first: [channels, 1, 1].
  public mutating func channelScale(_ name: String, _ x: ValueID, channels: Int, initial: Float) -> ValueID {
    let scale = parameter(fullName(name), [channels, 1, 1], initial: .constant(initial))
    return add(.channelScale, [x, scale], name: name)
  }

  public mutating func channelAffine(_ x: ValueID, scale: [Float], shift: [Float], name: String) -> ValueID {
    add(.channelAffine(scale: scale, shift: shift), [x], name: name)
  }

  /// Side by side along the channels.
  public mutating func concatenate(_ parts: [ValueID]) -> ValueID {
    add(.concatenate(axis: 1), parts, name: "concat")
  }

  /// Everything that `body` adds leaves its parameters behind but no computation: a part of the state dict that only
  /// training of the original uses.
  public mutating func parametersOnly(_ body: (inout GraphBuilder) -> Void) {
    let nodes = graph.nodes.count
    body(&self)
    graph.nodes.removeSubrange(nodes...)
  }

  public mutating func activation(_ kind: Activation, _ x: ValueID, name: String = "activation") -> ValueID {
    add(.activation(kind), [x], name: name)
  }

  public mutating func relu(_ x: ValueID) -> ValueID { activation(.relu, x, name: "relu") }

  public mutating func maxPool(_ x: ValueID, _ pooling: Pooling) -> ValueID {
    add(.maxPool(pooling), [x], name: "maxpool")
  }

  public mutating func averagePool(_ x: ValueID, _ pooling: Pooling) -> ValueID {
    add(.averagePool(pooling), [x], name: "avgpool")
  }

  public mutating func adaptiveAveragePool(_ x: ValueID, height: Int, width: Int) -> ValueID {
    add(.adaptiveAveragePool(height: height, width: width), [x], name: "avgpool")
  }

  /// Pictures at the height and width of another value, bilinear.
  public mutating func resize(_ x: ValueID, like other: ValueID) -> ValueID {
    add(.resize, [x, other], name: "resize")
  }

  public mutating func sum(_ a: ValueID, _ b: ValueID) -> ValueID { add(.add, [a, b], name: "add") }

  public mutating func flatten(_ x: ValueID) -> ValueID { add(.flatten, [x], name: "flatten") }

  public mutating func dropout(_ x: ValueID, probability: Float) -> ValueID {
    add(.dropout(probability: probability), [x], name: "dropout")
  }
}
