import Foundation
import ZooCheckpoint

extension ContentScan {
  /// A NumPy array of objects is a pickle.
  mutating func scanArray(_ bytes: UnsafeRawBufferPointer, member: String?) {
    guard bytes.count > 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else { return }
    // Version 1 has 16 bits of length, later ones 32.
    let text = bytes[6] == 1 ? 10 : 12
    let start = text + bytes[8..<text].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard start <= bytes.count else { return }
    let header = String(decoding: bytes[text..<start].prefix(1 << 16), as: UTF8.self)
    guard header.contains("|O") || header.contains("'O'") else { return }
    add(
      ScanFinding(
        .suspicious, .objectArray, place: member, "is an array of Python objects, which NumPy unpickles on loading"))
    scanPickle(bytes, at: start, member: member)
  }

  mutating func scanArray(_ file: MappedFile, offset: Int, count: Int, member: String?) {
    _ = try? file.withBytes(offset: offset, count: count) { scanArray($0, member: member) }
  }

  /// A chat template is a Jinja program that runners of language models execute on every prompt.
  mutating func scanChatTemplate(_ file: MappedFile) {
    let key = Array("tokenizer.chat_template".utf8)
    _ = try? file.withBytes(offset: 0, count: min(file.count, 256 << 20)) { bytes in
      let fields = LittleEndianBytes(bytes: bytes)
      var place = 0
      while let found = bytes[place...].firstIndex(of: key[0]) {
        place = found + 1
        let after = found + key.count
        // Type 8 is a string: 64 bits of length, then the text.
        guard after + 12 <= bytes.count, bytes[found..<after].elementsEqual(key), fields.uint32(after) == 8,
          let length = fields.size64(after + 4), let text = fields.range(after + 12, length)
        else { continue }
        for finding in Self.findings(inTemplate: String(decoding: text, as: UTF8.self), of: "tokenizer.chat_template") {
          add(finding)
        }
        return
      }
    }
  }

  /// What a Jinja template of a conversation does beyond text.
  public static func findings(inTemplate template: String, of place: String?) -> [ScanFinding] {
    // The way out of Jinja's sandbox is by Python's own attributes (CVE-2024-34359).
    let escapes = ["__class__", "__globals__", "__subclasses__", "__builtins__", "__import__", "__init__", "popen"]
    if let escape = escapes.first(where: template.contains) {
      return [ScanFinding(.dangerous, .chatTemplate, place: place, "its template reaches for Python's \(escape)")]
    }
    let words = "a Jinja template of \(template.utf8.count) bytes runs on every prompt"
    return [ScanFinding(.note, .chatTemplate, place: place, words)]
  }

  /// Operators outside ONNX's own sets run code that comes from elsewhere; the model's own functions don't.
  mutating func scanOperators(_ model: ONNXModel) {
    let standard: Set = [
      "", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "com.microsoft",
      "pkg.onnxscript.torch_lib",
    ]
    let own = Set(model.functions.map { $0.domain + "." + $0.name })
    var foreign: Set<String> = []
    var pending = [model.graph.nodes] + model.functions.map(\.nodes)
    while let nodes = pending.popLast() {
      for node in nodes {
        if !standard.contains(node.domain), !own.contains(node.domain + "." + node.operatorName) {
          foreign.insert(node.domain + "." + node.operatorName)
        }
        for case .graph(let graph) in node.attributes.values { pending.append(graph.nodes) }
      }
    }
    guard !foreign.isEmpty else { return }
    add(
      ScanFinding(
        .suspicious, .customOperators,
        "needs a library of operators that ONNX doesn't have: " + foreign.sorted().prefix(12).joined(separator: ", ")))
  }

  /// The shards of an index, each on its own; what the index says of them is checked when it is opened.
  mutating func scanShards(_ index: MappedFile) {
    let folder = ShardFolder(index: index.path)
    for shard in (try? ShardedReader.shards(of: index)) ?? [] {
      guard let path = try? folder.file(shard).path else { continue }
      for finding in ContentScan(path: path).findings where finding.severity > .note {
        let place = [shard, finding.place].compactMap { $0 }.joined(separator: ": ")
        add(ScanFinding(finding.severity, finding.kind, place: place, finding.detail))
      }
    }
  }
}
