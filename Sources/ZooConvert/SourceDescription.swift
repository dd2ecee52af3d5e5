import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooInference

/// What a checkpoint says of the file it came from. The digest is known only once the bytes are copied, so the header is
/// laid out with the longest text that may follow.
package struct SourceDescription {
  let source: WeightFile
  let identification: Identification?

  /// Id of the published weights, where it is known without the digest.
  let weights: String?

  package init(source: WeightFile, identification: Identification?, weights: String? = nil) {
    self.source = source
    self.identification = identification
    self.weights = weights
  }

  /// The metadata that a conversion would end with.
  ///
  /// - Throws: `FileError`.
  package func described(by catalog: Catalog) throws -> CheckpointMetadata {
    var metadata = longestMetadata
    let sha256 = try Digest.sha256(of: MappedFile(path: source.sourceFile))
    complete(&metadata, sha256: sha256, verdict: catalog.checksum(sha256: sha256, fileName: source.sourceFile))
    return metadata
  }

  private struct Source: Encodable {
    let file: String
    let sha256: String
    let format: String
    let naming: String?
    let weights: String?
  }

  /// Metadata as long as any that ``complete(_:sha256:verdict:)`` can make of it.
  var longestMetadata: CheckpointMetadata {
    let model = identification?.model
    if let own = identification?.ownInput {
      return metadata(sha256: String(repeating: "0", count: 64), weights: nil, input: own)
    }
    var inputs = model?.weights.map { [model] in model?.input(forWeights: $0.id) ?? "" } ?? []
    if let identification { inputs.append(identification.input) }
    let ids = (model?.weights.map(\.id) ?? []) + [weights].compactMap(\.self)
    return metadata(
      sha256: String(repeating: "0", count: 64), weights: ids.max { $0.utf8.count < $1.utf8.count },
      input: inputs.max { $0.utf8.count < $1.utf8.count })
  }

  func complete(_ metadata: inout CheckpointMetadata, sha256: String, verdict: ChecksumVerdict) {
    let model = identification?.model
    var weights = weights
    switch verdict {
    case .published(let file), .older(let file):
      if weights == nil, file.model == model?.name { weights = file.weights }
    case .contradicted, .unknown: break
    }
    let input =
      identification?.ownInput ?? weights.flatMap { model?.input(forWeights: $0) }
      ?? identification?.input
    let complete = self.metadata(sha256: sha256, weights: weights, input: input)
    metadata.source = complete.source
    metadata.input = complete.input
  }

  private func metadata(sha256: String, weights: String?, input: String?) -> CheckpointMetadata {
    var metadata = CheckpointMetadata(source.metadata)
    // A canonical checkpoint keeps what it says of itself; its source stays the file that it first came from.
    guard metadata.config == nil else { return metadata }
    if let identification {
      let model = identification.model
      let classes = identification.classes ?? model.classes
      metadata.model = model.name
      metadata.config = identification.description.json
      // An export may have carried the labels and the preprocessing of fine-tuning along.
      if metadata.labels?.count != classes {
        let usual = classes == model.classes && !model.labels.isEmpty ? model.labels : nil
        metadata.labels = source.publishedLabels(classes: classes) ?? usual
      }
      metadata.input = metadata.input ?? input
    }
    // What a checkpoint without a known model says of its source stays too.
    if metadata.source != nil { return metadata }
    metadata.source = CheckpointMetadata.encode(
      Source(
        file: URL(filePath: source.path).lastPathComponent, sha256: sha256, format: source.format.displayName,
        naming: identification?.naming, weights: weights))
    return metadata
  }
}
