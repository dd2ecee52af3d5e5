import Foundation
import ZooCheckpoint
import ZooFormats

/// Files that stand beside weights in a model's folder and may bring code along.
enum CompanionFile {
  private static let largest = 64 << 20

  /// nil where the file is no companion of that sort.
  static func findings(_ path: String) -> [ScanFinding]? {
    let name = (path as NSString).lastPathComponent
    if name.hasSuffix(".py") {
      return [ScanFinding(.suspicious, .remoteCode, "is Python code that comes with the model")]
    }
    guard name.hasSuffix(".json") || name.hasSuffix(".jinja"), let file = try? MappedFile(path: path) else {
      return nil
    }
    guard file.count <= largest, let data = try? file.withBytes(offset: 0, count: file.count, { Data($0) }) else {
      return isConfiguration(name)
        ? [ScanFinding(.suspicious, .unscannable, "is larger than any configuration: \(file.count) bytes")] : nil
    }
    if name.hasSuffix(".jinja") {
      return ContentScan.findings(inTemplate: String(decoding: data, as: UTF8.self), of: nil)
    }
    guard let object = object(data) else {
      return isConfiguration(name) ? [ScanFinding(.malformed, .malformed, "is no JSON object")] : nil
    }
    var findings: [ScanFinding] = []
    if let map = object["auto_map"] {
      findings.append(
        ScanFinding(
          .suspicious, .remoteCode, place: "auto_map",
          "names code that Transformers runs with trust_remote_code: \(modules(map).joined(separator: ", "))"))
    }
    for template in templates(object["chat_template"]) {
      findings += ContentScan.findings(inTemplate: template, of: "chat_template")
    }
    return findings
  }

  /// What Transformers loads by name, and with it the code that it names.
  private static func isConfiguration(_ name: String) -> Bool { name.hasSuffix("config.json") }

  /// Python reads NaN and Infinity too, which JSON doesn't have.
  private static func object(_ data: Data) -> [String: Any]? {
    if let object = try? JSONSerialization.jsonObject(with: data) { return object as? [String: Any] }
    var text = Array(data)
    var (isQuoted, place) = (false, 0)
    while place < text.count {
      if isQuoted {
        if text[place] == UInt8(ascii: "\\") {
          place += 1
        } else if text[place] == UInt8(ascii: "\"") {
          isQuoted = false
        }
      } else if text[place] == UInt8(ascii: "\"") {
        isQuoted = true
      } else if "NI-".utf8.contains(text[place]),
        let word = pythonNumbers.first(where: { text[place...].starts(with: $0) })
      {
        text.replaceSubrange(
          place..<place + word.count, with: Array("0".utf8) + repeatElement(0x20, count: word.count - 1))
      }
      place += 1
    }
    return (try? JSONSerialization.jsonObject(with: Data(text))) as? [String: Any]
  }

  private static let pythonNumbers = ["NaN", "Infinity", "-Infinity"].map { Array($0.utf8) }

  private static func modules(_ map: Any) -> [String] {
    guard let map = map as? [String: Any] else { return ["\(map)"] }
    return map.values.flatMap { value in ((value as? [Any]) ?? [value]).compactMap { $0 as? String } }.sorted()
  }

  /// One template, or several by name.
  private static func templates(_ value: Any?) -> [String] {
    if let text = value as? String { return [text] }
    return ((value as? [[String: Any]]) ?? []).compactMap { $0["template"] as? String }
  }
}
