import Foundation
import ZooCheckpoint

@testable import ZooCatalog

/// Holds a JSON value to the part of JSON Schema that the catalogue's schemas use: type, required, properties,
/// additionalProperties, items, enum, pattern, oneOf.
struct SchemaChecker {
  private static let known: Set<String> = [
    "$schema", "title", "description", "type", "required", "properties", "additionalProperties", "items", "enum",
    "pattern", "oneOf",
  ]

  /// What contradicts the schema, each with its place.
  static func problems(_ value: JSONValue, _ schema: JSONValue, at place: String = "") -> [String] {
    guard case .object(let keywords) = schema else { return ["\(place): the schema is no object"] }
    var found = Set(keywords.keys).subtracting(known).sorted().map { "\(place): the schema uses '\($0)'" }
    if case .string(let type)? = keywords["type"], !matches(value, type) { return found + ["\(place): is no \(type)"] }
    if case .array(let choices)? = keywords["enum"], !choices.contains(value) {
      found.append("\(place): is none of the choices")
    }
    if case .array(let choices)? = keywords["oneOf"], choices.count(where: { problems(value, $0).isEmpty }) != 1 {
      found.append("\(place): is not just one of the choices")
    }
    switch value {
    case .object(let fields): found += problems(fields, keywords, at: place)
    case .array(let values):
      if let items = keywords["items"] {
        found += values.enumerated().flatMap { problems($0.element, items, at: "\(place)[\($0.offset)]") }
      }
    case .string(let text):
      if case .string(let pattern)? = keywords["pattern"],
        text.range(of: pattern, options: .regularExpression) == nil
      {
        found.append("\(place): '\(text)' doesn't match \(pattern)")
      }
    default: break
    }
    return found
  }

  private static func problems(
    _ fields: [String: JSONValue], _ keywords: [String: JSONValue], at place: String
  ) -> [String] {
    var found: [String] = []
    if case .array(let required)? = keywords["required"] {
      for case .string(let name) in required where fields[name] == nil { found.append("\(place): lacks '\(name)'") }
    }
    let properties: [String: JSONValue] =
      if case .object(let properties)? = keywords["properties"] { properties } else { [:] }
    for (name, field) in fields.sorted(by: { $0.key < $1.key }) {
      if let schema = properties[name] {
        found += problems(field, schema, at: "\(place).\(name)")
      } else if keywords["additionalProperties"] == .bool(false) {
        found.append("\(place): has '\(name)'")
      }
    }
    return found
  }

  private static func matches(_ value: JSONValue, _ type: String) -> Bool {
    switch (value, type) {
    case (.object, "object"), (.array, "array"), (.string, "string"), (.bool, "boolean"), (.number, "number"): true
    case (.number(let number), "integer"): Int(exactly: number) != nil
    default: false
    }
  }
}
