import Foundation
import ZooCheckpoint

/// Weights that are in the store.
public struct InstalledModel: Sendable, Encodable, Equatable {
  public let model: String
  /// nil where the checkpoint doesn't say whose weights it holds.
  public let weights: String?
  public let path: String
  public let bytes: Int
  /// SHA-256 of the data section; nil where the file can't be read.
  public let digest: String?
  /// ISO 8601, in UTC.
  public let installed: String
  /// Whether it was put there by hand rather than pulled.
  public let isByHand: Bool
}

extension ModelStore {
  /// All that is in the store, by name and weights.
  public func installed() -> [InstalledModel] {
    let pulled = Self.names(in: recordsFolder).flatMap(records(of:)).map { record in
      InstalledModel(
        model: record.model, weights: record.weights, path: path(of: record), bytes: record.bytes,
        digest: record.digest, installed: record.installed, isByHand: false)
    }
    return (pulled + byHand()).sorted { ($0.model, $0.weights ?? "") < ($1.model, $1.weights ?? "") }
  }

  private struct Source: Decodable {
    let weights: String?
  }

  private func byHand() -> [InstalledModel] {
    let suffix = ".safetensors"
    return Self.names(in: folder).filter { $0.hasSuffix(suffix) }.map { name in
      let path = folder + "/" + name
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      let metadata = (try? Checkpoint.open(path: path))?.metadata
      let source = metadata?.source.flatMap { try? JSONDecoder().decode(Source.self, from: Data($0.utf8)) }
      return InstalledModel(
        model: String(name.dropLast(suffix.count)), weights: source?.weights, path: path,
        bytes: (attributes?[.size] as? Int) ?? 0, digest: metadata?.digest,
        installed: ((attributes?[.modificationDate] as? Date) ?? .distantPast).formatted(.iso8601), isByHand: true)
    }
  }
}
