/// Something about a weight file that its user should know before opening it in its own framework.
public struct ScanFinding: Sendable, Equatable, Encodable {
  public enum Severity: String, Sendable, Encodable, Comparable, CaseIterable {
    /// Worth a word, no reason to hold the file back.
    case note
    /// Runs or needs code that the file's framework doesn't bring along.
    case suspicious
    /// Contradicts its format.
    case malformed
    /// Runs code, or reaches other files or the network, when it is opened.
    case dangerous

    public static func < (first: Severity, second: Severity) -> Bool { first.rank < second.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  /// What it is, for programs. The raw values stay as they are.
  public enum Kind: String, Sendable, Encodable {
    case codeRunningCall = "code-running-call"
    case codeRunningName = "code-running-name"
    case unknownCallable = "unknown-callable"
    case hiddenPickle = "hidden-pickle"
    case trailingPickle = "trailing-pickle"
    case brokenPickle = "broken-pickle"
    case trailingBytes = "trailing-bytes"
    case programMember = "program-member"
    case torchScriptCode = "torchscript-code"
    case kerasLambda = "keras-lambda"
    case kerasCustomObject = "keras-custom-object"
    case kerasOutsideFile = "keras-outside-file"
    case objectArray = "object-array"
    case chatTemplate = "chat-template"
    case customOperators = "custom-operators"
    case outsideFile = "outside-file"
    case remoteCode = "remote-code"
    case parserAttack = "parser-attack"
    case checksumContradicted = "checksum-contradicted"
    case malformed
    case unscannable
  }

  public let severity: Severity
  public let kind: Kind
  /// A zip's member, an object's path, a byte offset.
  public let place: String?
  /// What was found, in words.
  public let detail: String

  public init(_ severity: Severity, _ kind: Kind, place: String? = nil, _ detail: String) {
    self.severity = severity
    self.kind = kind
    self.place = place
    self.detail = detail
  }
}
