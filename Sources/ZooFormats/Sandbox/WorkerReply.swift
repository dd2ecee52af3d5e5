/// How the program and its sandboxed worker talk: the worker's arguments, exit codes and answers.
package enum WorkerProtocol {
  /// First argument of a program that is to be a worker.
  package static let verb = "__parse-untrusted"
  /// Descriptor of the file to parse, open for reading only.
  package static let fileDescriptor: Int32 = 3
  /// Longest answer, in bytes.
  package static let largestReply = 256 << 20

  /// What a worker is asked for.
  package enum Task: String, Sendable {
    case hdf5
    case onnx
    /// For tests of the sandbox itself: each does what the name says instead of parsing.
    case probeOpen, probeWrite, probeExecute, probeFork, probeSocket, probeSignal
    case probeCrash, probeMemory, probeTime
  }

  package enum ExitCode: Int32 {
    case parsed = 0
    /// The file contradicts its format; the answer is a ``Problem``.
    case refused = 65
    case usage = 64
    /// The limits or the filter could not be put in place; nothing was parsed.
    case noSandbox = 69
  }

  /// What is wrong with the file.
  package struct Problem: Codable, Sendable {
    package let place: String
    package let problem: String
    package init(place: String, problem: String) {
      self.place = place
      self.problem = problem
    }
  }
}
