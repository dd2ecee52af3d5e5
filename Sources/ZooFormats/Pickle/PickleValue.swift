/// A value out of a pickle, as inert data.
///
/// Whatever has an identity in Python is a node of a ``PickleHeap``, so that sharing and cycles survive, and nothing
/// that is deeply nested is ever copied, compared or released recursively.
enum PickleValue: Sendable {
  case none
  case boolean(Bool)
  case integer(Int)
  /// Two's complement, little-endian, more than eight bytes; or the digits of one written as text.
  case bigInteger([UInt8])
  case float(Double)
  case string(String)
  case bytes([UInt8])
  case node(Int)
}

/// A key and its value in a dictionary.
struct PickleEntry: Sendable {
  var key: PickleValue
  var value: PickleValue
}

/// A container, class name or object of a pickle.
struct PickleNode: Sendable {
  enum Kind: Sendable {
    case tuple, list, set, dictionary, global, object, persistent
  }

  var kind: Kind
  /// Elements of a tuple, list or set; what an object was given by APPEND.
  var items: [PickleValue] = []
  /// A dictionary's; what an object was given by SETITEM.
  var entries: [PickleEntry] = []
  /// What made the object: a global, or the class wrapped in a persistent identifier. Never called.
  var callable: PickleValue = .none
  /// What the callable would have been given; the identifier of a persistent node.
  var arguments: PickleValue = .none
  /// What BUILD gave the object.
  var state: PickleValue = .none
  /// Of a global: `module.name`.
  var name = ""
}

/// All nodes of one pickle; a ``PickleValue/node(_:)`` is an index into it.
struct PickleHeap: Sendable {
  private(set) var nodes: [PickleNode] = []

  mutating func add(_ node: PickleNode) -> PickleValue {
    nodes.append(node)
    return .node(nodes.count - 1)
  }

  subscript(index: Int) -> PickleNode {
    get { nodes[index] }
    _modify { yield &nodes[index] }
  }

  /// The node that the value refers to; nil for plain values.
  func node(_ value: PickleValue) -> PickleNode? {
    if case .node(let index) = value { nodes[index] } else { nil }
  }

  /// Elements of a tuple; nil for anything else.
  func tuple(_ value: PickleValue) -> [PickleValue]? {
    guard let node = node(value), node.kind == .tuple else { return nil }
    return node.items
  }

  /// `module.name` of a global; nil for anything else.
  func globalName(_ value: PickleValue) -> String? {
    guard let node = node(value), node.kind == .global else { return nil }
    return node.name
  }

  /// The class or function that made the object, `module.name`; nil for anything else.
  func className(_ value: PickleValue) -> String? {
    guard let node = node(value), node.kind == .object else { return nil }
    if let name = globalName(node.callable) { return name }
    // Legacy files wrap a module's class: ('module', class, file, source).
    guard let wrapper = self.node(node.callable), wrapper.kind == .persistent,
      let identifier = tuple(wrapper.arguments), identifier.count >= 2
    else { return nil }
    return globalName(identifier[1])
  }

  /// What the value is, in words for a message: `a list`, `argparse.Namespace`.
  func describe(_ value: PickleValue) -> String {
    switch value {
    case .none: return "None"
    case .boolean: return "a boolean"
    case .integer, .bigInteger: return "an integer"
    case .float: return "a number"
    case .string: return "a string"
    case .bytes: return "bytes"
    case .node(let index):
      switch nodes[index].kind {
      case .tuple: return "a tuple"
      case .list: return "a list"
      case .set: return "a set"
      case .dictionary: return "a dictionary"
      case .global: return "the name \(nodes[index].name)"
      case .object: return className(value) ?? "an object"
      case .persistent: return "a storage"
      }
    }
  }
}

/// A pickle read to its STOP.
struct PickleDocument: Sendable {
  var heap: PickleHeap
  var root: PickleValue
  var globals: [PickleGlobal]
  /// Offset of the byte after STOP.
  var end: Int
}

/// A class or function that a pickle names.
public struct PickleGlobal: Sendable, Equatable {
  /// `module.name`.
  public let name: String
  /// Byte offset of the opcode that names it: in `data.pkl` of a zip, in the file otherwise.
  public let offset: Int
  /// Whether calling it would run code, read or write files, or reach the network.
  public let isDangerous: Bool
}
