/// A value that flows through a graph: an input, a parameter or a node's output.
public struct ValueID: Hashable, Sendable, Comparable {
  public let index: Int
  public init(index: Int) { self.index = index }
  public static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

/// A named tensor that the network owns. Names are those of the model's state dict.
public struct Parameter: Sendable, Equatable {
  public var name: String
  public var shape: [Int]
  /// True for state that no optimizer changes (BatchNorm's running statistics).
  public var isBuffer: Bool
  public var value: ValueID
  /// What it begins with where nothing is pretrained; nil where that follows from its shape.
  public var initial: InitialValues?

  public init(name: String, shape: [Int], isBuffer: Bool, value: ValueID, initial: InitialValues? = nil) {
    self.name = name
    self.shape = shape
    self.isBuffer = isBuffer
    self.value = value
    self.initial = initial
  }
}

/// One operation applied to values.
public struct Node: Sendable, Equatable {
  public var operation: Operation
  public var inputs: [ValueID]
  public var output: ValueID
  /// The module's path in the state dict's own terms, such as `layer1.0.conv1`; free text where it has no parameters.
  public var name: String
  /// The stage this node belongs to, as fine-tuning counts them: 0 is the stem, the last is the head.
  public var stage: Int

  public init(operation: Operation, inputs: [ValueID], output: ValueID, name: String, stage: Int) {
    self.operation = operation
    self.inputs = inputs
    self.output = output
    self.name = name
    self.stage = stage
  }
}

/// A network as a value: nodes in topological order over inputs and named parameters.
///
/// Knows nothing of batch size, layouts, threads or devices; shapes of values come from ``inferShapes(input:)``.
public struct Graph: Sendable, Equatable {
  public var nodes: [Node] = []
  public var input = ValueID(index: 0)
  /// Token ids that an encoder-decoder's decoder goes on from; nil for every other network.
  public internal(set) var decoderInput: ValueID?
  public var outputs: [ValueID] = []
  public var parameters: [Parameter] = []
  /// Names of the stages, the stem first and the head last.
  public var stages: [String] = []
  /// Whether the last layer gives a number for each of the user's classes.
  public internal(set) var givesClasses = true
  /// Whole numbers that the original keeps among its weights and that follow from the configuration.
  public var indexBuffers: [IndexBuffer] = []
  /// Names under which the original's state dict has some parameters a second time, with the parameter's own: tied
  /// embeddings.
  public var aliases: [String: String] = [:]
  var valueCount = 1

  public init() {}

  /// A value that nothing produces yet.
  public mutating func makeValue() -> ValueID {
    defer { valueCount += 1 }
    return ValueID(index: valueCount)
  }

  /// Number of values; every ``ValueID/index`` is below it.
  public var values: Int { valueCount }

  /// The parameter that stands behind each value that is one.
  public var parametersByValue: [ValueID: Parameter] {
    Dictionary(uniqueKeysWithValues: parameters.map { ($0.value, $0) })
  }

  /// Number of trainable scalars: buffers don't count, as torchvision's `num_params`.
  public var parameterCount: Int {
    parameters.filter { !$0.isBuffer }.reduce(0) { $0 + $1.shape.reduce(1, *) }
  }
}
