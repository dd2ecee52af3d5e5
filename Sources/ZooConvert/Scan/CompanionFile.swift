import Foundation
import ZooCheckpoint
import ZooFormats

/// Files that stand beside weights in a model's folder and may bring code along.
enum CompanionFile {
  private static let largest = 16 << 20

  /// nil where the file is no companion of that sort.
  static func findings(_ path: String) -> [ScanFinding]? {
    let name = (path as NSString).lastPathComponent
    if name.hasSuffix(".py") {
      return [ScanFinding(.suspicious, .remoteCode, "is Python code that comes with the model")]
    }
    guard name.hasSuffix(".json") || name.hasSuffix(".jinja"), let file = try? MappedFile(path: path),
      file.count <= largest, let data = try? file.withBytes(offset: 0, count: file.count, { Data($0) })
    else { return nil }
    if name.hasSuffix(".jinja") {
      return ContentScan.findings(inTemplate: String(decoding: data, as: UTF8.self), of: nil)
    }
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return nil }
    if object["weight_map"] != nil { return nil }
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
