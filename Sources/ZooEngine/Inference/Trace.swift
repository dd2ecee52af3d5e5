import COneDNN
import Foundation

/// Prints what the compiler made when `ZOO_TRACE=plan`.
enum Trace {
  static func plan(_ steps: [String], handle: OpaquePointer, bytes: Int) {
    guard ProcessInfo.processInfo.environment["ZOO_TRACE"] == "plan" else { return }
    var text = ""
    for (index, name) in steps.enumerated() {
      text += "\(name)\t\(String(cString: zoo_network_step_kernel(handle, Int32(index))))\n"
    }
    text += "memory\t\(bytes) bytes\n"
    FileHandle.standardError.write(Data(text.utf8))
  }
}
