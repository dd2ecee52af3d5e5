/// One side of a rename: literal text with captures, such as `layer{stage}.{block+1}.conv.{leaf}`.
struct NamePattern: Sendable, Equatable {
  enum Piece: Sendable, Equatable {
    case literal(String)
    /// `offset` is added to a whole number when the name is written.
    case capture(String, offset: Int)
  }

  /// What a capture may stand for.
  enum Kind: Sendable, Equatable {
    /// Text up to the next dot.
    case segment
    /// A whole number without leading zeros.
    case integer
    /// Any text.
    case path
    /// One of a table's texts.
    case lookup([Row])
  }

  struct Row: Sendable, Equatable {
    let source: String
    let canonical: String
  }

  /// Which column of a table a pattern speaks.
  enum Side { case source, canonical }

  let pieces: [Piece]
  let text: String
  /// What every name starts and ends with.
  private let start: [UInt8]
  private let end: [UInt8]

  /// A longer name than any framework writes is not worth matching.
  static let longestName = 1024

  /// Splits the text; captures' kinds (`{n:int}`) are given to `declare`.
  ///
  /// Returns nil where braces don't pair or a capture is malformed.
  init?(_ text: String, declare: (_ capture: String, _ kind: String) -> Void) {
    var pieces: [Piece] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      guard let close = rest[open...].firstIndex(of: "}") else { return nil }
      if open > rest.startIndex { pieces.append(.literal(String(rest[..<open]))) }
      var body = rest[rest.index(after: open)..<close]
      var offset = 0
      if let colon = body.firstIndex(of: ":") {
        declare(String(body[..<colon]), String(body[body.index(after: colon)...]))
        body = body[..<colon]
      } else if let sign = body.firstIndex(where: { $0 == "+" || $0 == "-" }) {
        guard let number = Int(body[sign...]), abs(number) < 1_000_000 else { return nil }
        offset = number
        body = body[..<sign]
      }
      guard !body.isEmpty, body.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { return nil }
      pieces.append(.capture(String(body), offset: offset))
      rest = rest[rest.index(after: close)...]
    }
    guard !rest.contains("}") else { return nil }
    if !rest.isEmpty { pieces.append(.literal(String(rest))) }
    self.pieces = pieces
    self.text = text
    start = pieces.first.map(Self.bytes) ?? []
    end = pieces.last.map(Self.bytes) ?? []
  }

  private static func bytes(_ piece: Piece) -> [UInt8] {
    if case .literal(let text) = piece { Array(text.utf8) } else { [] }
  }

  var captures: [String] {
    pieces.compactMap { if case .capture(let name, _) = $0 { name } else { nil } }
  }

  /// What the captures stand for in `name`, tables looked up into the source's column; nil where it doesn't match.
  func match(_ name: String, kinds: [String: Kind], side: Side) -> [String: String]? {
    // Most rules are for other names altogether.
    guard name.utf8.count <= Self.longestName, name.utf8.starts(with: start),
      name.utf8.suffix(end.count).elementsEqual(end)
    else { return nil }
    return match(name[...], pieces[...], [:], kinds, side)
  }

  private func match(
    _ rest: Substring, _ pieces: ArraySlice<Piece>, _ bound: [String: String], _ kinds: [String: Kind], _ side: Side
  ) -> [String: String]? {
    guard let piece = pieces.first else { return rest.isEmpty ? bound : nil }
    let following = pieces.dropFirst()
    switch piece {
    case .literal(let literal):
      return rest.hasPrefix(literal) ? match(rest.dropFirst(literal.count), following, bound, kinds, side) : nil
    case .capture(let capture, let offset):
      for (length, value) in readings(rest, kinds[capture] ?? .segment, offset, side) {
        if let known = bound[capture], known != value { continue }
        var bound = bound
        bound[capture] = value
        if let found = match(rest.dropFirst(length), following, bound, kinds, side) { return found }
      }
      return nil
    }
  }

  /// Every length that a capture may take at the start of `rest`, with its value in the source's terms.
  private func readings(_ rest: Substring, _ kind: Kind, _ offset: Int, _ side: Side) -> [(Int, String)] {
    switch kind {
    case .segment:
      let length = rest.prefix { $0 != "." }.count
      return length > 0 ? [(length, String(rest.prefix(length)))] : []
    case .path:
      return (0..<rest.count).map { ($0 + 1, String(rest.prefix($0 + 1))) }
    case .integer:
      let digits = String(rest.prefix { $0.isASCII && $0.isNumber })
      // A number that is not written as we would write it couldn't be restored.
      guard let number = Int(digits), String(number) == digits, number < Int.max / 2, number - offset >= 0
      else { return [] }
      return [(digits.count, String(number - offset))]
    case .lookup(let rows):
      return rows.compactMap { row in
        let text = side == .source ? row.source : row.canonical
        return rest.hasPrefix(text) ? (text.count, row.source) : nil
      }
    }
  }

  /// The name with captures filled in; nil where a value doesn't fit its kind.
  func filled(_ values: [String: String], kinds: [String: Kind], side: Side) -> String? {
    var name = ""
    for piece in pieces {
      switch piece {
      case .literal(let literal): name += literal
      case .capture(let capture, let offset):
        guard let value = values[capture] else { return nil }
        switch kinds[capture] ?? .segment {
        case .segment, .path: name += value
        case .integer:
          guard let number = Int(value), number + offset >= 0 else { return nil }
          name += String(number + offset)
        case .lookup(let rows):
          guard let row = rows.first(where: { $0.source == value }) else { return nil }
          name += side == .source ? row.source : row.canonical
        }
      }
    }
    return name
  }
}
