import Foundation

/// Looks for a name that stands twice in one object of a JSON text, which Foundation's parser passes over.
enum RepeatedName {
  /// - Parameter json: a text that a parser has accepted, so that only its structure counts here.
  static func first(in json: Data) -> String? {
    var objects: [Set<String>?] = []
    var place = json.startIndex
    while place < json.endIndex {
      switch json[place] {
      case UInt8(ascii: "{"): objects.append([])
      case UInt8(ascii: "["): objects.append(nil)
      case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = objects.popLast()
      case UInt8(ascii: "\""):
        let end = endOfString(json, from: place)
        if isName(json, before: end), let depth = objects.indices.last {
          let name = text(json[place..<end])
          if objects[depth]?.insert(name).inserted == false { return name }
        }
        place = end
        continue
      default: break
      }
      place += 1
    }
    return nil
  }

  /// Behind the closing quote.
  private static func endOfString(_ json: Data, from start: Int) -> Int {
    var place = start + 1
    while place < json.endIndex, json[place] != UInt8(ascii: "\"") {
      place += json[place] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(place + 1, json.endIndex)
  }

  private static func isName(_ json: Data, before end: Int) -> Bool {
    json[end...].first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: ":")
  }

  /// Two spellings of one name are the same name.
  private static func text(_ quoted: Data) -> String {
    if quoted.contains(UInt8(ascii: "\\")), let text = try? JSONDecoder().decode(String.self, from: quoted) {
      return text
    }
    return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
  }
}
