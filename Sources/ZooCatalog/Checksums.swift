import Foundation

/// A file that somebody publishes, known by its SHA-256 or the start of it.
public struct PublishedFile: Sendable, Equatable {
  public let publisher: String
  public let file: String
  public let model: String
  public let weights: String
  /// The whole digest, or as many of its first digits as are published.
  public let digest: String
  /// The file that holds the same weights today, where this one is old.
  public let replacedBy: String?

  /// Whether ``digest`` is whole.
  public var isWhole: Bool { digest.count == 64 }
}

/// What a file's SHA-256 says of where it comes from.
public enum ChecksumVerdict: Sendable, Equatable {
  case published(PublishedFile)
  /// Published once; the same weights have another file today.
  case older(PublishedFile)
  /// The file's name promises a digest that its bytes don't have.
  case contradicted(promised: String, by: PublishedFile?)
  case unknown

  /// The published file that the verdict is about.
  public var file: PublishedFile? {
    switch self {
    case .published(let file), .older(let file): file
    case .contradicted(_, let file): file
    case .unknown: nil
    }
  }
}

/// `checksums/<publisher>.json` as it stands in the file.
struct ChecksumFile: Decodable {
  struct Entry: Decodable {
    let file: String
    let sha256: String?
    let sha256Prefix: String?
    let model: String
    let weights: String
    let replacedBy: String?
  }

  let publisher: String
  let files: [Entry]

  var publishedFiles: [PublishedFile] {
    files.compactMap { entry in
      guard let digest = entry.sha256 ?? entry.sha256Prefix, digest.count >= 8 else { return nil }
      return PublishedFile(
        publisher: publisher, file: entry.file, model: entry.model, weights: entry.weights, digest: digest.lowercased(),
        replacedBy: entry.replacedBy)
    }
  }
}

extension Catalog {
  /// Looks a file up by its digest and holds it to what its name promises.
  ///
  /// - Parameters:
  ///   - sha256: 64 hexadecimal digits.
  ///   - fileName: the file's name; publishers put the first eight digits there, as in `resnet50-0676ba61.pth`.
  public func checksum(sha256: String, fileName: String? = nil) -> ChecksumVerdict {
    let digest = sha256.lowercased()
    if let found = publishedFiles.first(where: { digest.hasPrefix($0.digest) }) {
      return found.replacedBy == nil ? .published(found) : .older(found)
    }
    guard let name = fileName.map({ ($0 as NSString).lastPathComponent }) else { return .unknown }
    if let namesake = publishedFiles.first(where: { $0.file == name }) {
      return .contradicted(promised: namesake.digest, by: namesake)
    }
    if let promised = Self.promisedDigest(name), !digest.hasPrefix(promised) {
      return .contradicted(promised: promised, by: nil)
    }
    return .unknown
  }

  /// The digits between the last hyphen and the extension, where they look like a digest.
  static func promisedDigest(_ fileName: String) -> String? {
    guard let dot = fileName.firstIndex(of: "."), let hyphen = fileName[..<dot].lastIndex(of: "-") else { return nil }
    let digits = fileName[fileName.index(after: hyphen)..<dot]
    let isHexadecimal = digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    // Eight decimal digits are as likely a date.
    let isDate =
      digits.count == 8 && digits.allSatisfy(\.isNumber) && (digits.hasPrefix("19") || digits.hasPrefix("20"))
    return (8...64).contains(digits.count) && isHexadecimal && !isDate ? String(digits) : nil
  }
}
