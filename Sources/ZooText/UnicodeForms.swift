import Foundation

/// Unicode's normal forms with the tables of Hugging Face's tokenizers, which are older than this system's: to them
/// later characters have no other form.
enum UnicodeForms {
  /// The version of Unicode whose forms tokenizers knows.
  private static let formsVersion = 11
  /// And whose accents.
  private static let accentsVersion = 9

  /// - Parameter form: a normal form, which parts of the text can be brought to apart where they meet at a character
  ///   without other forms.
  static func normalized(_ text: String, _ form: (String) -> String) -> String {
    guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
    let scalars = text.unicodeScalars
    var result = String.UnicodeScalarView()
    var start = scalars.startIndex
    while let later = scalars[start...].firstIndex(where: { !$0.isKnown(toVersion: formsVersion) }) {
      result.append(contentsOf: form(String(scalars[start..<later])).unicodeScalars)
      result.append(scalars[later])
      start = scalars.index(after: later)
    }
    if start == scalars.startIndex { return form(text) }
    result.append(contentsOf: form(String(scalars[start...])).unicodeScalars)
    return String(result)
  }

  static func withoutAccents(_ text: String) -> String {
    var bare = String.UnicodeScalarView()
    bare.append(
      contentsOf: text.unicodeScalars.filter { scalar in
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: !scalar.isKnown(toVersion: accentsVersion)
        default: true
        }
      })
    return String(bare)
  }
}

extension Unicode.Scalar {
  /// Whether a version of Unicode has the character.
  func isKnown(toVersion version: Int) -> Bool {
    // All below were there in Unicode 5; looking up the age takes its time.
    value < 0x370 || (properties.age?.major ?? .max) <= version
  }

  var isWhiteSpace: Bool { isASCII ? value == 32 || (9...13).contains(value) : properties.isWhitespace }
}
