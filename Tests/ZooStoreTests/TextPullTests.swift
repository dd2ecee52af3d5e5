import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooDownload
import ZooText

@testable import ZooStore

/// Weights of texts are filed with their tokenizer, or not at all.
@Suite struct TextPullTests {
  private static let weights = "pytorch_model.bin"
  private static let vocabulary = (try? Data(contentsOf: URL(filePath: Fixture.path("text/small/vocab.txt")))) ?? Data()

  /// Answers for the network's weights, and as `others` says for all else.
  private static func publisher(
    _ others: @escaping @Sendable (_ request: String) -> ScriptedServer.Answer
  ) -> ScriptedServer.Script {
    { request, _ in
      guard request.contains("/\(weights) ") else { return others(request) }
      let bytes = try? Data(contentsOf: URL(filePath: Fixture.path("text_models/bert/\(weights)")))
      return .file([UInt8](bytes ?? Data()), etag: "w", request: request)
    }
  }

  private static let honest = publisher { request in
    request.contains("/vocab.txt ") ? .file([UInt8](vocabulary), etag: "v", request: request) : .http("404 Not Found")
  }

  private final class Place {
    let directory: TemporaryDirectory
    let server: ScriptedServer
    var pull: Pull
    private let model: Model

    /// - Parameter url: where the weights are published; nil for the server.
    init(tokenizer: [String], url: String? = nil, _ script: @escaping ScriptedServer.Script) throws {
      directory = try TemporaryDirectory()
      server = try ScriptedServer(script: script)
      let server = server
      let source = try Data(contentsOf: URL(filePath: Fixture.path("text_models/zoo/bert/tiny_bert.json")))
      var fields = try #require(try JSONSerialization.jsonObject(with: source) as? [String: Any])
      fields["weights"] = [
        [
          "id": "HUB", "file": weights, "url": url ?? server.url("hub/tiny/\(weights)"),
          "tokenizer": tokenizer.map { $0.replacingOccurrences(of: "SERVER/", with: server.url("")) },
        ]
      ]
      let folder = directory.file("zoo/bert")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try JSONSerialization.data(withJSONObject: fields).write(to: URL(filePath: folder + "/tiny_bert.json"))
      let catalog = try Catalog(overlays: [directory.path])
      model = try catalog.model(named: "tiny_bert")
      pull = Pull(catalog: catalog, store: ModelStore(environment: ["ZOO_HOME": directory.file("store")]))
      pull.mirrors = Mirrors(environment: [:])
      pull.retries.firstPause = 0.01
      pull.patience = 2
    }

    deinit {
      server.stop()
      directory.remove()
    }

    @discardableResult func run(_ report: @escaping (Pull.Step) -> Void = { _ in }) throws -> Pull.Outcome {
      try pull.run(model, model.weights(named: nil), report: report)
    }

    /// Paths that the server was asked for.
    var asked: [String] { server.requests.map { String($0.split(separator: " ")[1]) } }

    /// What a download left in the store.
    var leftovers: [String] {
      (try? FileManager.default.subpathsOfDirectory(atPath: pull.store.unfinishedFolder)) ?? []
    }
  }

  @Test func theTokenizerIsFiledWithTheWeights() throws {
    let place = try Place(tokenizer: ["vocab.txt"], Self.honest)
    var told: [String] = []
    let outcome = try place.run { if case .unchecked(let file, _) = $0 { told.append(file) } }
    #expect(place.asked == ["/hub/tiny/vocab.txt", "/hub/tiny/\(Self.weights)"])
    #expect(told == ["vocab.txt", Self.weights])
    let carried = try #require(try Checkpoint.open(path: outcome.path).metadata.tokenizer)
    #expect(
      try TokenizerFiles(text: carried, source: "x")
        == TokenizerFiles(contents: ["vocab.txt": [UInt8](Self.vocabulary)], source: "y"))
    let file = place.directory.file("vocab.txt")
    try Self.vocabulary.write(to: URL(filePath: file))
    #expect(
      outcome.record.tokenizer == [
        .init(
          file: "vocab.txt", url: place.server.url("hub/tiny/vocab.txt"),
          sha256: try Digest.sha256(of: MappedFile(path: file)))
      ])
    #expect(place.leftovers.isEmpty)
  }

  @Test func anAddressOfItsOwnIsTaken() throws {
    let place = try Place(tokenizer: ["SERVER/elsewhere/vocab.txt"], Self.honest)
    try place.run()
    #expect(place.asked.first == "/elsewhere/vocab.txt")
  }

  @Test func aMissingTokenizerLeavesNothingBehind() throws {
    let place = try Place(tokenizer: ["tokenizer.json"], Self.honest)
    let error = #expect(throws: DownloadError.self) { try place.run() }
    guard case .failed(_, let status, _)? = error else { return }
    #expect(status == 404)
    #expect(place.asked == ["/hub/tiny/tokenizer.json"])
    #expect(!place.pull.store.contains("tiny_bert"))
  }

  @Test(arguments: [
    ("tokenizer.json", "{\"model\": 7}"), ("tokenizer.json", "<html>"), ("vocab.txt", "\u{FFFD}"),
  ])
  func aBrokenTokenizerIsNotFiled(name: String, text: String) throws {
    let place = try Place(
      tokenizer: [name], Self.publisher { .file(Array(text.utf8), etag: nil, request: $0) })
    #expect(throws: TokenizerError.self) { try place.run() }
    #expect(place.asked == ["/hub/tiny/\(name)"])
    #expect(!place.pull.store.contains("tiny_bert"))
  }

  @Test func halfATokenizerIsNone() throws {
    let place = try Place(tokenizer: ["vocab.json"], Self.publisher { .file([0x7B, 0x7D], etag: nil, request: $0) })
    #expect(throws: PullError.noTokenizer(files: ["vocab.json"])) { try place.run() }
    #expect(!place.pull.store.contains("tiny_bert"))
  }

  @Test func aTokenizerThatIsTooLargeIsRefusedByItsLength() throws {
    let place = try Place(
      tokenizer: ["vocab.txt"], Self.publisher { _ in .http("200 OK", [0x61], length: TokenizerFiles.largest + 1) })
    #expect(throws: DownloadError.self) { try place.run() }
    #expect(!place.pull.store.contains("tiny_bert"))
  }

  @Test func aTokenizerThatBreaksOffIsGoneOnWith() throws {
    let place = try Place(tokenizer: ["vocab.txt"]) { request, number in
      guard number == 1 else { return Self.honest(request, number) }
      let half = [UInt8](Self.vocabulary)[..<40]
      return .http("200 OK", half, length: Self.vocabulary.count, headers: ["ETag: \"v\""])
    }
    try place.run()
    #expect(place.server.requests[1].contains("Range: bytes=40-"))
    #expect(place.pull.store.contains("tiny_bert"))
  }

  @Test func whatHasNoDigestComesFromItsPublisherAloneAndByTLS() throws {
    let place = try Place(tokenizer: ["vocab.txt"], Self.honest)
    place.pull.mirrors = Mirrors(environment: ["ZOO_MIRROR": place.server.url("mirror")])
    try place.run()
    #expect(!place.asked.contains { $0.contains("mirror") })
    let open = try Place(tokenizer: ["http://models.example/vocab.txt"], Self.honest)
    #expect(throws: PullError.insecure(url: "http://models.example/vocab.txt")) { try open.run() }
    let plain = try Place(tokenizer: [], url: "http://models.example/\(Self.weights)", Self.honest)
    #expect(throws: PullError.insecure(url: "http://models.example/\(Self.weights)")) { try plain.run() }
  }

  @Test(arguments: ["lock", "converted.safetensors", "config.json"])
  func onlyATokenizersFilesAreFetched(name: String) throws {
    let place = try Place(tokenizer: [name], Self.honest)
    #expect(throws: PullError.badFileName(model: "tiny_bert", file: name)) { try place.run() }
    #expect(place.asked.isEmpty)
  }
}
