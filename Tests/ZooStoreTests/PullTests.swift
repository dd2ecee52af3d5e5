import Foundation
import Synchronization
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooDownload
import ZooInference

@testable import ZooStore

@Suite struct PullTests {
  /// A store, a catalogue and the server that publishes its files.
  private final class Place {
    let directory: TemporaryDirectory
    let server: ScriptedServer
    let store: ModelStore
    let catalog: Catalog
    var pull: Pull

    init(digits: Int = 8, script: @escaping ScriptedServer.Script) throws {
      directory = try TemporaryDirectory()
      server = try ScriptedServer(script: script)
      let server = server
      try TinyCatalogue.write(to: directory.path, digits: digits) { server.url($0) }
      catalog = try Catalog(overlays: [directory.path])
      store = ModelStore(environment: ["ZOO_HOME": directory.file("store")])
      pull = Pull(catalog: catalog, store: store)
      pull.mirrors = Mirrors(environment: [:])
      pull.retries.firstPause = 0.01
      pull.patience = 2
    }

    deinit {
      server.stop()
      directory.remove()
    }

    @discardableResult func run(_ id: String? = nil) throws -> Pull.Outcome {
      let model = try catalog.model(named: "tiny")
      return try pull.run(model, model.weights(named: id))
    }

    /// All files of the store, as paths inside it.
    var files: [String] {
      ((try? FileManager.default.subpathsOfDirectory(atPath: store.folder)) ?? [])
        .filter { path in
          var isFolder: ObjCBool = false
          return FileManager.default.fileExists(atPath: store.folder + "/" + path, isDirectory: &isFolder)
            && !isFolder.boolValue && path != ".lock"
        }.sorted()
    }
  }

  private static let publisher: ScriptedServer.Script = { request, _ in
    for file in TinyCatalogue.files where request.contains("/\(file) ") {
      return (try? .file(TinyCatalogue.bytes(of: file), etag: file, request: request)) ?? .http("500 No")
    }
    return .http("404 Not Found")
  }

  @Test func defaultWeightsAreFoundByTheModelsNameAlone() throws {
    let place = try Place(script: Self.publisher)
    let outcome = try place.run()
    #expect(outcome.record.weights == "IMAGENET1K_V2" && !outcome.wasThere)
    #expect(place.store.path(forModel: "tiny") == outcome.path)
    #expect(place.store.path(forModel: "tiny:IMAGENET1K_V2") == outcome.path)
    #expect(!place.store.contains("tiny:IMAGENET1K_V1"))
    #expect(
      place.files == ["blobs/\(outcome.record.blob).safetensors", "records/tiny/IMAGENET1K_V2.json"])
    #expect(try Digest.sha256(of: MappedFile(path: outcome.path)) == outcome.record.blob)
    let model = try LoadedModel.find("tiny", catalog: place.catalog, store: place.store)
    #expect(model.name == "tiny" && model.preprocessing.mean == [0.485, 0.456, 0.406])
    #expect(outcome.record.source.sha256 == (try TinyCatalogue.sha256(of: "tiny-v2.pth")))
  }

  @Test func eachWeightsHaveTheirOwnPreprocessingAndName() throws {
    let place = try Place(digits: 64, script: Self.publisher)
    let first = try place.run("IMAGENET1K_V1")
    #expect(place.store.path(forModel: "tiny") == first.path)
    let second = try place.run()
    #expect(place.store.path(forModel: "tiny") == second.path)
    let model = try LoadedModel.find("tiny:IMAGENET1K_V1", catalog: place.catalog, store: place.store)
    #expect(model.preprocessing.mean == [0, 0, 0])
    #expect(place.store.installed().map(\.weights) == ["IMAGENET1K_V1", "IMAGENET1K_V2"])
  }

  @Test func whatIsThereIsNotFetchedAgain() throws {
    let place = try Place(script: Self.publisher)
    let first = try place.run()
    let again = try place.run()
    #expect(again.wasThere && again.record == first.record)
    #expect(place.server.requests.count == 1)
    place.pull.force = true
    #expect(try place.run().record.blob == first.record.blob)
    #expect(place.server.requests.count == 2)
    #expect(place.files.count == 2)
  }

  @Test func wrongBytesLeaveTheStoreAsItWas() throws {
    let place = try Place { request, number in
      number == 1 ? Self.publisher(request, 1) : .http("200 OK", [UInt8](repeating: 7, count: 9000)[...])
    }
    try place.run("IMAGENET1K_V1")
    let before = place.files
    #expect {
      try place.run("IMAGENET1K_V2")
    } throws: { error in
      if case DownloadError.wrongDigest = error { true } else { false }
    }
    #expect(place.files.filter { !$0.hasPrefix("unfinished/") } == before)
    place.pull.force = true
    #expect(throws: DownloadError.self) { try place.run("IMAGENET1K_V1") }
    #expect(place.files.filter { !$0.hasPrefix("unfinished/") } == before)
    #expect(place.store.contains("tiny:IMAGENET1K_V1"))
  }

  @Test func anotherModelsWeightsAreNotFiled() throws {
    let place = try Place(digits: 0) { request, _ in
      let fixture = try? Data(contentsOf: URL(filePath: Fixture.path("pytorch/dtypes-p2.pth")))
      return .file([UInt8](fixture ?? Data()), etag: nil, request: request)
    }
    #expect(throws: (any Error).self) { try place.run() }
    #expect(!place.store.contains("tiny"))
    #expect(place.files.allSatisfy { $0.hasPrefix("unfinished/") })
  }

  @Test func severalAtOnceFetchOnce() throws {
    let place = try Place { request, number in
      var answer = Self.publisher(request, number)
      answer.pause = 0.005
      return answer
    }
    let model = try place.catalog.model(named: "tiny")
    let weights = try model.weights(named: nil)
    let pull = place.pull
    let results = Mutex<[Bool]>([])
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      let outcome = try? pull.run(model, weights)
      results.withLock { $0 += outcome.map { [$0.wasThere] } ?? [] }
    }
    #expect(results.withLock { $0.sorted { !$0 && $1 } } == [false, true, true, true])
    #expect(place.server.requests.count == 1)
    #expect(place.files.count == 2)
  }

  @Test func keptDownloadServesTheNextPull() throws {
    let place = try Place(script: Self.publisher)
    place.pull.keepsDownload = true
    let first = try place.run()
    let kept = try #require(first.download)
    #expect(try Digest.sha256(of: MappedFile(path: kept)) == first.record.source.sha256)
    place.pull.force = true
    #expect(try place.run().download == kept)
    #expect(place.server.requests.count == 1)
    try Data("not it".utf8).write(to: URL(filePath: kept))
    #expect(try place.run().record.blob == first.record.blob)
    #expect(place.server.requests.count == 2)
  }

  @Test func whatDeadProgramsLeftGoesAway() throws {
    let place = try Place(script: Self.publisher)
    let unfinished = place.store.unfinishedFolder
    for folder in ["old.pth", "tiny-v1.pth"] {
      try FileManager.default.createDirectory(atPath: "\(unfinished)/\(folder)", withIntermediateDirectories: true)
      for name in [".converted.safetensors.12-34.partial", "converted.safetensors", "lock", "\(folder).partial"] {
        try Data("x".utf8).write(to: URL(filePath: "\(unfinished)/\(folder)/\(name)"))
      }
    }
    let old = Date(timeIntervalSinceNow: -30 * 86_400)
    try FileManager.default.setAttributes(
      [.modificationDate: old], ofItemAtPath: "\(unfinished)/old.pth/old.pth.partial")
    try FileManager.default.createDirectory(
      atPath: place.store.folder + "/blobs", withIntermediateDirectories: true)
    try Data("x".utf8).write(to: URL(filePath: place.store.folder + "/blobs/\(String(repeating: "0", count: 64))"))
    try place.run()
    #expect(
      place.files.filter { !$0.hasPrefix("blobs/") && !$0.hasPrefix("records/") } == [
        "unfinished/tiny-v1.pth/lock", "unfinished/tiny-v1.pth/tiny-v1.pth.partial",
      ])
    #expect(place.files.filter { $0.hasPrefix("blobs/") }.count == 1)
  }

  @Test func oneBlobServesSeveralRecordsUntilTheLastGoes() throws {
    let place = try Place(script: Self.publisher)
    let outcome = try place.run()
    let copy = place.directory.file("copy.safetensors")
    try FileManager.default.copyItem(atPath: outcome.path, toPath: copy)
    let twin = StoreRecord(
      model: "twin", weights: "V1", isDefault: true, blob: outcome.record.blob, bytes: outcome.record.bytes,
      digest: outcome.record.digest, source: outcome.record.source)
    #expect(try place.store.file(copy, as: twin) == outcome.path)
    #expect(place.files.count == 3)
    #expect(try place.store.remove("tiny").map(\.model) == ["tiny"])
    #expect(place.store.path(forModel: "twin") == outcome.path && !place.store.contains("tiny"))
    _ = try place.store.remove("twin:V1")
    #expect(place.files.isEmpty)
    #expect(throws: CatalogError.notInStore(name: "twin", installed: [])) { try place.store.remove("twin") }
  }

  @Test func blobOfARecordThatCannotBeReadStays() throws {
    let place = try Place(script: Self.publisher)
    let outcome = try place.run()
    try Data("{".utf8).write(to: URL(filePath: place.store.folder + "/records/tiny/IMAGENET1K_V2.json"))
    #expect(!place.store.contains("tiny"))
    place.store.clean()
    #expect(FileManager.default.fileExists(atPath: outcome.path))
  }

  @Test func checkpointPutThereByHandComesFirst() throws {
    let place = try Place(script: Self.publisher)
    let outcome = try place.run()
    let byHand = place.store.folder + "/tiny.safetensors"
    try FileManager.default.copyItem(atPath: outcome.path, toPath: byHand)
    #expect(place.store.path(forModel: "tiny") == byHand)
    #expect(place.store.path(forModel: "tiny:IMAGENET1K_V2") == outcome.path)
    #expect(place.store.installed().map(\.isByHand).sorted { !$0 && $1 } == [false, true])
  }

  @Test(arguments: ["../tiny", "a/b", ".hidden", ""])
  func namesThatLeaveTheStoreAreNotThere(name: String) throws {
    let place = try Place(script: Self.publisher)
    #expect(!place.store.contains(name))
    #expect(throws: CatalogError.self) { try place.store.remove(name) }
  }
}
