import Foundation

/// Names of classes out of a text: a JSON list, a JSON or Python object from numbers to names, or a name a line.
struct ClassNames {
  let names: [String]

  init(_ text: String) {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if text.hasPrefix("[") {
      names = (try? JSONDecoder().decode([String].self, from: Data(text.utf8))) ?? Self.quoted(text)
    } else if text.hasPrefix("{") {
      names = Self.numbered(text)
    } else {
      names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  /// `{0: 'tench', 1: "goldfish"}`; empty where the numbers aren't 0, 1, 2 and so on.
  private static func numbered(_ text: String) -> [String] {
    if let object = try? JSONDecoder().decode([String: String].self, from: Data(text.utf8)) {
      let names = (0..<object.count).compactMap { object["\($0)"] }
      return names.count == object.count ? names : []
    }
    let names = quoted(text)
    let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
    return names.indices.allSatisfy { numbers.contains($0) } ? names : []
  }

  /// What stands between quotes, with `\'` and `\\` as what they mean.
  private static func quoted(_ text: String) -> [String] {
    var names: [String] = []
    var (name, quote, isEscaped) = ("", Character?.none, false)
    for character in text {
      if isEscaped {
        name.append(character)
        isEscaped = false
      } else if let open = quote {
        if character == "\\" {
          isEscaped = true
        } else if character == open {
          names.append(name)
          (name, quote) = ("", nil)
        } else {
          name.append(character)
        }
      } else if character == "'" || character == "\"" {
        quote = character
      }
    }
    return names
  }
}
