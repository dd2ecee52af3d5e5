import Foundation
import ZooCheckpoint

/// Which columns of a table say what of a picture, and how they are read.
public struct PictureColumns: Sendable, Equatable {
  /// nil where the table decides.
  public var problem: ProblemType?
  /// Of the class, or of the names of all labels that hold; nil for the first of the usual names.
  public var label: String?
  /// Of numbers, or of labels that are 0 or 1; empty for the usual ones.
  public var targets: [String]

  /// Parts the names of labels within a field of a CSV or TSV file.
  static let separator: Character = "|"
  private static let usualLabels = ["label", "class", "labels"]
  private static let usualValues = ["value", "target"]
  private static let notLabels = ["split"]

  public init(problem: ProblemType? = nil, label: String? = nil, targets: [String] = []) {
    self.problem = problem
    self.label = label
    self.targets = targets
  }

  /// Those of another table that a network with these outputs is judged by: its columns where it has them all.
  init(for labels: [String], problem: ProblemType, in table: Table) {
    let hasAll = labels.allSatisfy(table.columns.contains)
    switch problem {
    case .classes: self.init(problem: problem)
    case .multiLabel: self.init(problem: problem, targets: hasAll ? labels : [])
    case .regression:
      let usual = Self.usualValues.first(where: table.columns.contains)
      self.init(problem: problem, targets: !hasAll && labels.count == 1 ? [usual ?? labels[0]] : labels)
    }
  }

  /// How a table's pictures are told, in the order of choice: as asked for; numbers or truths where their columns are
  /// named; several names in a field; a number in a column `value` or `target`; a column of 0 and 1 for each label.
  enum Reading: Equatable {
    case oneName(column: String)
    case severalNames(column: String)
    case truths(columns: [String])
    case numbers(columns: [String])

    /// What reads another table in the same way.
    var columns: PictureColumns {
      switch self {
      case .oneName(let column), .severalNames(let column): PictureColumns(problem: problem, label: column)
      case .truths(let columns), .numbers(let columns): PictureColumns(problem: problem, targets: columns)
      }
    }

    var problem: ProblemType {
      switch self {
      case .oneName: .classes
      case .severalNames, .truths: .multiLabel
      case .numbers: .regression
      }
    }
  }

  /// - Returns: the reading, and why it was taken where nobody asked for it.
  /// - Throws: ``TableError/noColumn(file:column:found:)``.
  func reading(of table: Table) throws(TableError) -> (reading: Reading, reason: String?) {
    for column in targets + (label.map { [$0] } ?? []) where !table.columns.contains(column) {
      throw .noColumn(file: table.path, column: column, found: table.columns)
    }
    let names = label ?? Self.usualLabels.first(where: table.columns.contains)
    let truths = targets.isEmpty ? truthColumns(of: table) : targets
    let numbers = targets.isEmpty ? Self.usualValues.filter(table.columns.contains) : targets
    switch problem {
    case .classes: return (.oneName(column: names ?? Self.usualLabels[0]), nil)
    case .multiLabel:
      if targets.isEmpty, let names { return (.severalNames(column: names), nil) }
      return (truths.isEmpty ? .severalNames(column: "labels") : .truths(columns: truths), nil)
    case .regression: return (.numbers(columns: numbers.isEmpty ? [Self.usualValues[0]] : numbers), nil)
    case nil: break
    }
    if !targets.isEmpty {
      return Self.areTruths(targets, table) && targets.count > 1
        ? (.truths(columns: targets), "the columns hold 0 and 1")
        : (.numbers(columns: targets), "--targets names columns of numbers")
    }
    if let names {
      let holdsSeveral = table.records.contains {
        $0.lists[names] != nil || $0.fields[names]?.contains(Self.separator) == true
      }
      return holdsSeveral
        ? (.severalNames(column: names), "rows have several names in the column \(names)")
        : (.oneName(column: names), nil)
    }
    if numbers.count == 1, Self.areNumbers(numbers[0], table) {
      return (.numbers(columns: numbers), "the column \(numbers[0]) holds numbers")
    }
    if truths.count > 1 {
      return (.truths(columns: truths), "the columns \(truths.joined(separator: ", ")) hold 0 and 1")
    }
    return (.oneName(column: Self.usualLabels[0]), nil)
  }

  private func truthColumns(of table: Table) -> [String] {
    table.columns.filter { column in
      !PictureTable.pathColumns.contains(column) && !Self.notLabels.contains(column) && Self.areTruths([column], table)
    }
  }

  private static func areTruths(_ columns: [String], _ table: Table) -> Bool {
    columns.allSatisfy { column in table.records.allSatisfy { $0.fields[column].flatMap(truth) != nil } }
  }

  private static func areNumbers(_ column: String, _ table: Table) -> Bool {
    table.records.allSatisfy { $0.fields[column].flatMap(number) != nil }
  }

  /// 0 and 1 as tables write them.
  static func truth(_ text: String) -> Bool? {
    switch text.trimmingCharacters(in: .whitespaces).lowercased() {
    case "0", "0.0", "false": false
    case "1", "1.0", "true": true
    default: nil
    }
  }

  /// A finite number.
  static func number(_ text: String) -> Double? {
    Double(text.trimmingCharacters(in: .whitespaces)).flatMap { $0.isFinite ? $0 : nil }
  }
}
