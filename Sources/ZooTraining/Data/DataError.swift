import ZooCheckpoint

/// Why a folder of pictures can't be learnt from.
public enum DataError: Error, Sendable, Equatable {
  case notFolder(folder: String)
  case noClasses(folder: String)
  case oneClass(folder: String, name: String)
  case emptyClass(folder: String, name: String)
  /// No picture of the class can be decoded.
  case brokenClass(folder: String, name: String, pictures: Int, reason: String)
  case unknownClass(folder: String, name: String, known: [String])
  case noValidation(folder: String)
  case noTexts(folder: String)
  case headTooSmall(asked: Int)
  case headDisagrees(asked: Int, folder: String, labels: [String])
  /// A class or label that no training picture has.
  case neverLearnt(folder: String, names: [String])
  /// No training picture can be decoded.
  case nothingToLearn(folder: String, reason: String)
  /// Labels of which none ever holds.
  case noLabels(folder: String)
  /// A field that is no number, or no truth value.
  case notNumber(file: String, line: Int, column: String, value: String, expected: String)
  /// All training pictures have the same value.
  case constantValue(folder: String, column: String)
  /// Class folders give each picture one class and nothing else.
  case foldersOfClasses(folder: String, problem: ProblemType)
  /// A part of a split that is none of train, validation and test.
  case unknownPart(file: String, line: Int, part: String)
  /// A picture that the split file doesn't list.
  case notInSplit(file: String, name: String)
}
