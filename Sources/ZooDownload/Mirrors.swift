import Foundation

/// Where published files are looked for before their publisher is asked: `$ZOO_MIRROR`, base addresses with commas
/// between them. A mirror holds the files under their own names right below its base address.
public struct Mirrors: Sendable, Equatable {
  public let bases: [String]

  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    bases = (environment["ZOO_MIRROR"] ?? "").split(separator: ",")
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }

  /// Addresses of a file, in the order in which they are tried.
  public func sources(of file: String, published url: String) -> [String] {
    let name = file.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? file
    return bases.map { ($0.hasSuffix("/") ? $0 : $0 + "/") + name } + [url]
  }
}
