import ZooGraph

extension Node {
  /// Why it can't be run: a sequence has no such step.
  var notOfSequences: EngineError {
    .unsupported(node: name, problem: "is a step of a picture, not of a sequence")
  }

  /// The first of the channels that it gathers, which stand side by side.
  ///
  /// - Throws: ``EngineError`` where they don't.
  func firstChannel(of channels: [Int]) throws(EngineError) -> Int {
    guard let first = channels.first, channels == Array(first..<first + channels.count), inputs.count == 1 else {
      throw notOfSequences
    }
    return first
  }
}
