import Foundation

/// Prints what the compiler made when `ZOO_TRACE=plan`.
enum Trace {
  static func plan(_ steps: [String], kernels: [String], bytes: Int) {
    guard ProcessInfo.processInfo.environment["ZOO_TRACE"] == "plan" else { return }
    var text = ""
    for (name, kernel) in zip(steps, kernels) { text += "\(name)\t\(kernel)\n" }
    text += "memory\t\(bytes) bytes\n"
    FileHandle.standardError.write(Data(text.utf8))
  }
}
