/// How a network's outputs for a picture or a text are to be read; what Transformers calls `problem_type`.
///
/// The graph is the same for all of them, so that it is the checkpoint's metadata that says it, beside the names.
public enum ProblemType: String, Codable, Sendable, CaseIterable {
  /// One of the classes: logits of a softmax.
  case classes
  /// Any number of the labels: each a logit of its own.
  case multiLabel = "multi-label"
  /// Numbers, in the units of what was learnt from.
  case regression
}
