import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooFormats

/// What `zoo scan` says of one file.
public struct FileScan: Sendable, Encodable {
  public let file: String
  public let verdict: ContentScan.Verdict
  /// As people call it; nil where the file is nothing that zoo knows.
  public let format: String?
  public let findings: [ScanFinding]
  /// Why the file was not looked into.
  public let problem: String?
  /// Of the file's bytes, 64 hexadecimal digits; nil where it can't be opened.
  public let sha256: String?
  public let published: Published?
  /// Exit code that an unreadable file calls for.
  let code: ErrorReport.Kind?

  /// Who published the very same file.
  public struct Published: Sendable, Encodable {
    public let publisher: String
    public let file: String
    public let weights: String
  }

  private enum CodingKeys: String, CodingKey {
    case file, verdict, format, findings, problem, sha256, published
  }

  init(path: String, catalog: Catalog) {
    let content = ContentScan(path: path)
    var findings = content.findings
    let digest = (try? MappedFile(path: path)).flatMap { try? Digest.sha256(of: $0) }
    var published: Published?
    switch digest.map({ catalog.checksum(sha256: $0, fileName: path) }) {
    case .published(let file), .older(let file):
      published = Published(publisher: file.publisher, file: file.file, weights: file.weights)
    case .contradicted(let promised, let publisher):
      let owner = publisher.map { " of \($0.publisher)" } ?? ""
      findings.append(
        ScanFinding(
          .suspicious, .checksumContradicted,
          "its name promises the SHA-256 \(promised.prefix(16))…\(owner), but it has \((digest ?? "").prefix(16))…"))
    case .unknown, nil: break
    }
    file = path
    let found = ContentScan.Verdict(worst: findings.map(\.severity).max())
    verdict = found == .clean ? content.verdict : found
    format = content.format?.displayName
    self.findings = findings
    problem = content.unreadable.map { $0.problem + ($0.advice.map { "; " + $0 } ?? "") }
    sha256 = digest
    self.published = published
    code = content.unreadable?.kind
  }

  /// A file beside weights that is read as text: a configuration or a program.
  init?(companion path: String) {
    guard let found = CompanionFile.findings(path), !found.isEmpty else { return nil }
    file = path
    findings = found
    verdict = ContentScan.Verdict(worst: found.map(\.severity).max())
    format = (path as NSString).pathExtension == "py" ? "Python" : "JSON"
    (problem, sha256, published, code) = (nil, nil, nil, nil)
  }
}
