/// Comma-separated values as RFC 4180 has them: the first record names the columns, quoted fields may hold delimiters,
/// line ends and doubled quotes. As Python's `csv` reads it, a quote within an unquoted field is part of the field, and
/// empty lines are none.
///
/// It reads bytes, since only line ends end a record: a text may well hold other characters that Unicode counts as such.
struct CSVReader {
  let path: String
  let delimiter: UInt8

  private static let quote = UInt8(ascii: "\"")
  private static let newline = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  /// - Throws: ``TableError``.
  func read(_ bytes: [UInt8]) throws(TableError) -> (columns: [String], records: [Table.Record]) {
    var columns: [String]?
    var records: [Table.Record] = []
    var (place, line) = (0, 1)
    while place < bytes.count {
      let first = line
      guard let fields = try record(bytes, &place, &line) else { continue }
      guard let names = columns else {
        columns = try header(fields, line: first)
        continue
      }
      guard fields.count == names.count else {
        throw .fieldCount(file: path, line: first, expected: names.count, found: fields.count)
      }
      records.append(.init(line: first, fields: Dictionary(uniqueKeysWithValues: zip(names, fields))))
    }
    return (columns ?? [], records)
  }

  private func header(_ fields: [String], line: Int) throws(TableError) -> [String] {
    var known: Set<String> = []
    for name in fields where !known.insert(name).inserted {
      throw .repeatedColumn(file: path, line: line, column: name)
    }
    return fields
  }

  /// The next record; nil for an empty line.
  private func record(_ bytes: [UInt8], _ place: inout Int, _ line: inout Int) throws(TableError) -> [String]? {
    var fields: [String] = []
    while true {
      let start = place
      let isQuoted = place < bytes.count && bytes[place] == Self.quote
      let field = isQuoted ? try quoted(bytes, &place, &line) : plain(bytes, &place)
      fields.append(String(decoding: field, as: UTF8.self))
      guard place < bytes.count else { return fields.count == 1 && start == place ? nil : fields }
      if bytes[place] == delimiter {
        place += 1
        continue
      }
      endLine(bytes, &place, &line)
      return fields == [""] && !isQuoted ? nil : fields
    }
  }

  private func endLine(_ bytes: [UInt8], _ place: inout Int, _ line: inout Int) {
    if bytes[place] == Self.carriageReturn { place += 1 }
    if place < bytes.count, bytes[place] == Self.newline { place += 1 }
    line += 1
  }

  private func plain(_ bytes: [UInt8], _ place: inout Int) -> ArraySlice<UInt8> {
    let start = place
    while place < bytes.count, bytes[place] != delimiter, !isLineEnd(bytes[place]) { place += 1 }
    return bytes[start..<place]
  }

  private func quoted(_ bytes: [UInt8], _ place: inout Int, _ line: inout Int) throws(TableError) -> ArraySlice<UInt8> {
    let first = line
    var field: [UInt8] = []
    place += 1
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      guard byte == Self.quote else {
        if byte == Self.newline { line += 1 }
        field.append(byte)
        continue
      }
      if place < bytes.count, bytes[place] == Self.quote {
        field.append(byte)
        place += 1
        continue
      }
      guard place == bytes.count || bytes[place] == delimiter || isLineEnd(bytes[place]) else {
        throw .textBehindQuote(file: path, line: line)
      }
      return field[...]
    }
    throw .openQuote(file: path, line: first)
  }

  private func isLineEnd(_ byte: UInt8) -> Bool { byte == Self.newline || byte == Self.carriageReturn }
}
