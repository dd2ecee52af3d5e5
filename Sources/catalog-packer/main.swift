import Foundation

// Usage: catalog-packer PACKAGE-ROOT OUTPUT MARK
//
// Writes the data folders as Swift string literals: a byte-array literal of this size takes the compiler minutes. JSON
// stays text; anything else is base64.

/// Largest file packed: what the program carries is read by every user's compiler.
let largest = 2 << 20

func refuse(_ problem: String) -> Never {
  FileHandle.standardError.write(Data("catalog-packer: error: \(problem)\n".utf8))
  exit(1)
}

func isUnchangedByLiteral(_ text: String) -> Bool {
  !text.contains("\"\"\"####") && !text.unicodeScalars.contains { $0.value == 0 || $0 == "\r" }
}

func entry(_ file: URL, path: String) throws -> String {
  let data = try Data(contentsOf: file)
  guard data.count <= largest else { refuse("\(path) has \(data.count) bytes; at most \(largest) are packed") }
  var text: String?
  if file.pathExtension == "json" {
    do { _ = try JSONSerialization.jsonObject(with: data) } catch {
      refuse("\(path) is not JSON: \((error as NSError).userInfo[NSDebugDescriptionErrorKey] ?? error)")
    }
    text = String(data: data, encoding: .utf8).flatMap { isUnchangedByLiteral($0) ? $0 : nil }
  }
  let literal = "####\"\"\"\n" + (text ?? data.base64EncodedString()) + "\n\"\"\"####"
  return "  PackedFile(path: \"\(path)\", isBase64: \(text == nil), text: \(literal)),\n"
}

let arguments = CommandLine.arguments
guard arguments.count == 4 else { refuse("usage: catalog-packer PACKAGE-ROOT OUTPUT MARK") }
let root = URL(filePath: arguments[1])
var entries: [String] = []
for folder in ["zoo", "converters", "checksums"] {
  let start = root.appending(path: folder)
  guard FileManager.default.fileExists(atPath: start.path),
    let walk = FileManager.default.enumerator(atPath: start.path)
  else { refuse("no folder \(start.path)") }
  let paths = (walk.allObjects as? [String] ?? []).sorted()
  for path in paths where !path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
    let file = start.appending(path: path)
    guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
    guard path.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._-/".contains($0)) }) else {
      refuse("\(folder)/\(path): file names may hold letters, digits, '.', '_' and '-' only")
    }
    entries.append(try entry(file, path: "\(folder)/\(path)"))
  }
}
let source =
  "// Generated from zoo/, converters/ and checksums/.\nlet packedCatalog: [PackedFile] = [\n" + entries.joined()
  + "]\n"
let output = URL(filePath: arguments[2])
// A file rewritten with the same text would be compiled again.
if (try? Data(contentsOf: output)) != Data(source.utf8) {
  try Data(source.utf8).write(to: output, options: .atomic)
}
try Data("\(Date().timeIntervalSince1970)".utf8).write(to: URL(filePath: arguments[3]))
