import Foundation

// Usage: catalog-packer PACKAGE-ROOT OUTPUT. Writes the data folders as Swift string literals: a byte-array literal of
// this size takes the compiler minutes. Text stays text; anything else is base64.
let root = URL(filePath: CommandLine.arguments[1])
let output = URL(filePath: CommandLine.arguments[2])
var source =
  "// Generated from zoo/, converters/ and checksums/.\nlet packedCatalog: [(path: String, text: String, isBase64: Bool)] = [\n"
for folder in ["zoo", "converters", "checksums"] {
  let start = root.appending(path: folder)
  let paths = (FileManager.default.enumerator(atPath: start.path)?.allObjects as? [String] ?? []).sorted()
  for path in paths where !path.hasPrefix(".") {
    let file = start.appending(path: path)
    guard (try? file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true else { continue }
    let data = try Data(contentsOf: file)
    let text = ["json", "tsv", "txt"].contains(file.pathExtension) ? String(data: data, encoding: .utf8) : nil
    let literal = "####\"\"\"\n" + (text ?? data.base64EncodedString()) + "\n\"\"\"####"
    source += "(\"\(folder)/\(path)\", \(literal), \(text == nil)),\n"
  }
}
source += "]\n"
try source.write(to: output, atomically: true, encoding: .utf8)
