import ZooCatalog
import ZooCheckpoint
import ZooDownload
import ZooText

/// Brings the tokenizer that belongs to published weights of a text model.
struct TokenizerPull {
  struct Fetched {
    let files: TokenizerFiles
    let sources: [StoreRecord.Source]
  }

  let pull: Pull
  /// Where the files stand while they come.
  let folder: String

  /// - Returns: nil for weights without a tokenizer.
  /// - Throws: `DownloadError`, ``PullError``, `TokenizerError` where the files make no tokenizer, `FileError`.
  func fetch(_ model: Model, _ weights: PublishedWeights, _ report: (Pull.Step) -> Void) throws -> Fetched? {
    var sources: [StoreRecord.Source] = []
    for (name, url) in weights.tokenizerFiles {
      // A name that is none of a tokenizer's is refused before anything is fetched.
      guard TokenizerFiles.isFile(name) else { throw PullError.badFileName(model: model.name, file: name) }
      let download = try pull.download(
        name, from: url, to: folder + "/" + name, .init(sha256: nil, largest: TokenizerFiles.largest))
      let sums = try download.fetch(failed: { report(.sourceFailed($0)) })
      report(.unchecked(file: name, sha256: sums.sha256))
      sources.append(.init(file: name, url: url, sha256: sums.sha256))
    }
    guard !sources.isEmpty else { return nil }
    guard let files = try TokenizerFiles(folder: folder) else {
      throw PullError.noTokenizer(files: sources.map(\.file))
    }
    // Weights are of no use with a tokenizer that can't be read.
    _ = try Tokenizer(files: files)
    return Fetched(files: files, sources: sources)
  }
}
