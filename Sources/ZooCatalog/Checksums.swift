import Foundation
import ZooCheckpoint

/// A file that somebody publishes, known by its SHA-256 or the start of it, or by its MD5.
public struct PublishedFile: Sendable, Equatable {
  public let publisher: String
  public let file: String
  public let model: String
  public let weights: String
  /// The whole digest, or as many of its first digits as are published.
  public let digest: String
  /// The file that holds the same weights today, where this one is old.
  public let replacedBy: String?
  /// Whether ``digest`` is an MD5, which some publishers give instead: it tells damage, not forgery.
  public let isMD5: Bool

  /// Whether ``digest`` is whole.
  public var isWhole: Bool { digest.count == (isMD5 ? 32 : 64) }
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
    let md5: String?
    let model: String
    let weights: String
    let replacedBy: String?
  }

  let publisher: String
  let files: [Entry]

  var publishedFiles: [PublishedFile] {
    files.compactMap { entry in
      guard let digest = entry.sha256 ?? entry.sha256Prefix ?? entry.md5, digest.count >= 8 else { return nil }
      return PublishedFile(
        publisher: publisher, file: entry.file, model: entry.model, weights: entry.weights, digest: digest.lowercased(),
        replacedBy: entry.replacedBy, isMD5: entry.sha256 == nil && entry.sha256Prefix == nil)
    }
  }
}

extension Catalog {
  /// Looks a file up by its digest and holds it to what its name promises.
  ///
  /// - Parameters:
  ///   - sha256: 64 hexadecimal digits.
  ///   - md5: 32 hexadecimal digits, where ``wantsMD5(fileName:)`` asks for them.
  ///   - fileName: the file's name; publishers put the first eight digits there, as in `resnet50-0676ba61.pth`.
  public func checksum(sha256: String, md5: String? = nil, fileName: String? = nil) -> ChecksumVerdict {
    let digest = sha256.lowercased()
    let isFound = { (file: PublishedFile) in
      file.isMD5 ? file.digest == md5?.lowercased() : digest.hasPrefix(file.digest)
    }
    if let found = publishedFiles.first(where: isFound) {
      return found.replacedBy == nil ? .published(found) : .older(found)
    }
    guard let name = fileName.map({ ($0 as NSString).lastPathComponent }) else { return .unknown }
    if let namesake = publishedFiles.first(where: { $0.file == name }), !namesake.isMD5 || md5 != nil {
      return .contradicted(promised: namesake.digest, by: namesake)
    }
    if let promised = Self.promisedDigest(name), !digest.hasPrefix(promised) {
      return .contradicted(promised: promised, by: nil)
    }
    return .unknown
  }

  /// Whether a file of this name is published with an MD5 instead of a SHA-256.
  public func wantsMD5(fileName: String) -> Bool {
    let name = (fileName as NSString).lastPathComponent
    return publishedFiles.contains { $0.isMD5 && $0.file == name }
  }

  /// What a file's digests and name say of where it comes from. Reads the file once a digest.
  ///
  /// - Throws: `FileError`.
  public func checksum(of file: MappedFile, fileName: String) throws -> ChecksumVerdict {
    let md5 = wantsMD5(fileName: fileName) ? try Digest.md5(of: file) : nil
    return checksum(sha256: try Digest.sha256(of: file), md5: md5, fileName: fileName)
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
