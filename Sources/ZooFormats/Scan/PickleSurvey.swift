import ZooCheckpoint

/// What unpickling some bytes would import and call, as far as they can be read.
///
/// A pickle that breaks off still runs all that stands before the break, so what was read until then counts.
struct PickleSurvey {
  /// Names with their places, in order.
  let globals: [PickleGlobal]
  /// What would be called, with its first arguments, by the name's offset.
  let calls: [Call]
  /// Offset after the STOP; nil where the pickle breaks off.
  let end: Int?
  let error: PickleError?

  struct Call {
    let name: String
    /// In Python's spelling, shortened.
    let arguments: String
    let isDangerous: Bool
  }

  init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0, file: String, member: String?) {
    let (document, error) = PickleInterpreter.readAsFar(bytes, at: offset, file: file, member: member)
    globals = document.globals
    end = error == nil ? document.end : nil
    self.error = error
    calls = Self.calls(document)
  }

  /// Whether these bytes are a pickle at all and no chance: whole and with a name, or with a name that runs code.
  var isConvincing: Bool { globals.contains(where: \.isDangerous) || error == nil && !globals.isEmpty }

  private static func calls(_ document: PickleDocument) -> [Call] {
    let dangerous = Set(document.globals.filter(\.isDangerous).map(\.name))
    var calls: [Call] = []
    for index in document.heap.nodes.indices where document.heap[index].kind == .object {
      guard let name = document.heap.className(.node(index)) else { continue }
      let isDangerous = dangerous.contains(name)
      let arguments = isDangerous ? spell(document.heap[index].arguments, document.heap) : ""
      calls.append(Call(name: name, arguments: arguments, isDangerous: isDangerous))
    }
    return calls
  }

  private static let longestSpelling = 120

  private static func spell(_ value: PickleValue, _ heap: PickleHeap, depth: Int = 0) -> String {
    let text: String
    switch value {
    case .none: text = "None"
    case .boolean(let truth): text = truth ? "True" : "False"
    case .integer(let number): text = "\(number)"
    case .bigInteger: text = "…"
    case .float(let number): text = "\(number)"
    case .string(let string): text = "'\(string.prefix(longestSpelling))'"
    case .bytes(let bytes): text = "<\(bytes.count) bytes>"
    case .node(let index):
      let node = heap[index]
      guard depth < 4 else { return "…" }
      switch node.kind {
      case .tuple, .list, .set:
        text = "(" + node.items.prefix(6).map { spell($0, heap, depth: depth + 1) }.joined(separator: ", ") + ")"
      case .global: text = node.name
      case .object: text = (heap.className(value) ?? "?") + spell(node.arguments, heap, depth: depth + 1)
      case .dictionary: text = "{…}"
      case .persistent: text = "…"
      }
    }
    return text.count > longestSpelling ? String(text.prefix(longestSpelling)) + "…" : text
  }
}
