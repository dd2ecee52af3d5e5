import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooTraining

@Suite struct TableTests {
  private func table(_ bytes: [UInt8], name: String) throws -> Table {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try Data(bytes).write(to: URL(filePath: folder.file(name)))
    return try Table(path: folder.file(name))
  }

  private func csv(_ text: String) throws -> Table { try table(Array(text.utf8), name: "t.csv") }

  /// What kind of ``TableError`` comes, without the file's name.
  private func problem(_ bytes: [UInt8], name: String = "t.csv") -> String {
    do {
      _ = try table(bytes, name: name)
      return "none"
    } catch let error as TableError {
      let report = error.report
      return "\(report.place ?? "–"): \(report.problem)"
    } catch {
      return "\(error)"
    }
  }

  @Test func fieldsAreThoseOfPythonsReader() throws {
    // As csv.reader of Python 3.11 gives them, line by line.
    let text =
      "\u{FEFF}text,label\r\n\"a, \"\"b\"\"\",1\r\n\r\n\"two\nlines\",2\nsay \"hi\",3\n line\u{2028}end ,4\n,\nlast,\"\""
    let found = try csv(text)
    #expect(found.columns == ["text", "label"])
    #expect(
      try found.values(of: "text")
        == ["a, \"b\"", "two\nlines", "say \"hi\"", " line\u{2028}end ", "", "last"])
    #expect(try found.values(of: "label") == ["1", "2", "3", "4", "", ""])
    #expect(found.records.map(\.line) == [2, 4, 6, 7, 8, 9])
  }

  @Test func tabsPartFieldsOfTSV() throws {
    let found = try table(Array("text\tlabel\na, b\tx\n".utf8), name: "t.tsv")
    #expect(found.records.map(\.fields) == [["text": "a, b", "label": "x"]])
  }

  @Test func linesOfJSONAreRecords() throws {
    let text = #"{"text": "a\nb", "label": 3}"# + "\n\n" + #"{"label": true, "text": "c", "more": [1]}"# + "\n"
    let found = try table(Array(text.utf8), name: "t.jsonl")
    #expect(found.columns == ["label", "text", "more"] && found.records.map(\.line) == [1, 3])
    #expect(found.records[1].lists == ["more": ["1"]])
    #expect(try found.values(of: "label") == ["3", "true"])
    #expect(throws: TableError.self) { try found.values(of: "more") }
  }

  @Test func whatIsWrongIsSaidWithItsLine() {
    #expect(problem(Array("text,label\na,b\nc\n".utf8)) == "line 3: has 1 field where the first line names 2")
    #expect(problem(Array("text,label\n\"a\nb,c\n".utf8)) == "line 2: opens a quote that is never closed")
    #expect(problem(Array("text,label\n\"a\"b,c\n".utf8)) == "line 2: has text behind a closing quote")
    #expect(problem(Array("a,a\nb,c\n".utf8)) == "line 1: names the column 'a' twice")
    #expect(problem(Array("text,label\nab".utf8) + [0xFF, 0x2C, 0x62]) == "byte 13: is not UTF-8")
    #expect(problem(Array("text,label\n".utf8)) == "–: holds no records")
    #expect(problem(Array("\u{FEFF}\n".utf8)) == "–: holds no records")
    #expect(problem(Array("{\"text\": \"a\"}\nno\n".utf8), name: "t.jsonl") == "line 2: is not a JSON object")
    #expect(problem(Array("[1]\n".utf8), name: "t.json") == "line 1: is not a JSON object")
    #expect(problem(Array("a".utf8), name: "t.xlsx") == "–: is no table whose kind is known")
  }
}
