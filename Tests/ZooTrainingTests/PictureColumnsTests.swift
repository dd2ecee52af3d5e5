import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooTraining

@Suite struct PictureColumnsTests {
  private func dataset(
    _ name: String, _ text: String, _ columns: PictureColumns = PictureColumns(), seed: UInt64 = 0
  ) throws -> Dataset {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try text.write(toFile: folder.file(name), atomically: true, encoding: .utf8)
    return try Dataset(folder: folder.file(name), columns: columns, seed: seed)
  }

  /// Rows whose labels alternate, of which pictures need not be there.
  private func rows(_ head: String, _ count: Int = 16, _ row: (Int) -> String) -> String {
    ([head] + (0..<count).map { "p\($0).png," + row($0) }).joined(separator: "\n")
  }

  private let several = ["red|round", "red", "", "round| blue"]

  @Test func severalLabelsAreTaken() throws {
    let data = try dataset("t.csv", rows("path,labels") { several[$0 % 4] })
    #expect(data.problem == .multiLabel && data.reason?.contains("labels") == true)
    #expect(data.labels == ["blue", "red", "round"])
    #expect(data.training.count == 12 && data.validation.count == 4)
    // Each set of labels is divided by itself.
    #expect(Set(data.validation.map(\.labels)) == [[1, 2], [1], [], [0, 2]])
    #expect(data.trainingCounts == [3, 6, 6])
    #expect(
      try dataset("t.csv", rows("path,labels") { several[$0 % 4] }).validation.map(\.name)
        == data.validation.map(\.name))
  }

  @Test func JSONListsAreLabels() throws {
    let lines = (0..<8).map { "{\"file_name\": \"\($0).png\", \"labels\": \($0 % 2 == 0 ? "[\"a\", \"b|c\"]" : "[]")}" }
    let data = try dataset("t.jsonl", lines.joined(separator: "\n"))
    #expect(data.problem == .multiLabel && data.labels == ["a", "b|c"])
    #expect(data.training.contains { $0.labels.isEmpty } && data.training.contains { $0.labels == [0, 1] })
  }

  @Test func columnsOfZerosAndOnesAreLabels() throws {
    let text = rows("image,age,smiling,young") { "\($0 + 20),\($0 % 2),\($0 % 3 == 0 ? 1 : 0)" }
    let data = try dataset("t.csv", text)
    #expect(data.problem == .multiLabel && data.labels == ["smiling", "young"])
    #expect(try dataset("t.csv", text, PictureColumns(problem: .regression, targets: ["age"])).problem == .regression)
    let chosen = try dataset("t.csv", text, PictureColumns(problem: .multiLabel, targets: ["young"]))
    #expect(chosen.labels == ["young"])
  }

  @Test func numbersAreTaken() throws {
    let data = try dataset("t.csv", rows("path,value") { "\(Double($0) / 4 - 1)" })
    #expect(data.problem == .regression && data.labels == ["value"] && data.trainingCounts.isEmpty)
    #expect(data.training.count == 12 && data.validation.count == 4)
    // One of each quarter of the range.
    #expect(Set(data.validation.map { Int(($0.values[0] + 1).rounded(.down)) }) == [0, 1, 2, 3])
    let two = try dataset(
      "t.csv", rows("path,label,width,height") { "x,\($0),\(2 * $0)" }, PictureColumns(targets: ["width", "height"]))
    #expect(two.problem == .regression && two.labels == ["width", "height"] && two.training[0].values.count == 2)
  }

  @Test func classesStayClasses() throws {
    let data = try dataset("t.csv", rows("path,label,score") { "\($0 % 2),\($0)" })
    #expect(data.problem == .classes && data.reason == nil && data.labels == ["0", "1"])
    #expect(
      try dataset("t.csv", rows("path,label") { several[$0 % 2] + "x" }, PictureColumns(problem: .classes)).labels
        == ["redx", "red|roundx"])
  }

  @Test func everyLabelIsLearnt() throws {
    // Labels of one picture each, which a plain split would put on both sides.
    let data = try dataset("t.csv", rows("path,labels", 12) { $0 < 2 ? "all|own\($0)" : "all" })
    #expect(Set(data.training.flatMap(\.labels)).count == 3 && data.validation.count == 3)
  }

  @Test func badTablesAreTold() throws {
    func fails(_ expected: DataError, _ text: String, _ columns: PictureColumns = PictureColumns()) {
      #expect {
        try dataset("t.csv", text, columns)
      } throws: { error in
        guard var found = error as? DataError else { return false }
        // Folders are temporary.
        if case .notNumber(_, let line, let column, let value, let expected) = found {
          found = .notNumber(file: "t.csv", line: line, column: column, value: value, expected: expected)
        }
        if case .neverLearnt(_, let names) = found { found = .neverLearnt(folder: "t.csv", names: names) }
        if case .constantValue(_, let column) = found { found = .constantValue(folder: "t.csv", column: column) }
        if case .noLabels = found { found = .noLabels(folder: "t.csv") }
        return found == expected
      }
    }
    fails(
      .notNumber(file: "t.csv", line: 5, column: "value", value: "much", expected: "a number"),
      rows("path,value") { $0 == 3 ? "much" : "\($0)" }, PictureColumns(problem: .regression))
    fails(
      .notNumber(file: "t.csv", line: 2, column: "value", value: "nan", expected: "a number"),
      rows("path,value") { $0 == 0 ? "nan" : "\($0)" }, PictureColumns(problem: .regression))
    fails(
      .notNumber(file: "t.csv", line: 4, column: "b", value: "2", expected: "0 or 1"),
      rows("path,a,b") { "1,\($0)" }, PictureColumns(problem: .multiLabel, targets: ["a", "b"]))
    fails(
      .neverLearnt(folder: "t.csv", names: ["late"]),
      rows("path,split,labels") { $0 % 2 == 0 ? "train,a|b" : "val,late" })
    fails(.constantValue(folder: "t.csv", column: "value"), rows("path,value") { _ in "7" })
    fails(.noLabels(folder: "t.csv"), rows("path,labels") { _ in "" }, PictureColumns(problem: .multiLabel))
    #expect(throws: TableError.self) {
      try dataset("t.csv", rows("path,value") { "\($0)" }, PictureColumns(targets: ["weight"]))
    }
    #expect(throws: TableError.self) { try dataset("t.csv", rows("path,colour") { _ in "x" }) }
  }

  @Test func classFoldersHaveNoNumbers() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    for name in ["a", "b"] {
      try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
      try Data([1]).write(to: URL(filePath: folder.file(name) + "/x.png"))
    }
    #expect(throws: DataError.foldersOfClasses(folder: folder.path, problem: .regression)) {
      try Dataset(folder: folder.path, columns: PictureColumns(problem: .regression))
    }
  }
}
