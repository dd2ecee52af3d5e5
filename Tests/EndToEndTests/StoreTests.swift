import Foundation
import TestSupport
import Testing
import ZooCheckpoint

/// `zoo pull`, `zoo list --installed` and `zoo rm` as a user runs them, against a server on loopback.
@Suite struct StoreTests {
  private struct Installed: Decodable {
    let model: String
    let weights: String?
    let bytes: Int
    let digest: String?
  }

  /// SHA-256 of 9000 bytes of 7.
  private static let sevens = "b8a738ab84fa55a5374c4501ba473b028621a536199fbbf4a9aabd21d34efa66"

  private static let publisher: ScriptedServer.Script = { request, _ in
    for file in TinyCatalogue.files where request.contains("/\(file) ") {
      return (try? .file(TinyCatalogue.bytes(of: file), etag: file, request: request)) ?? .http("500 No")
    }
    return .http("404 Not Found")
  }

  /// A place with a catalogue in `catalog`, whose files a server publishes.
  private func withServer(
    _ script: @escaping ScriptedServer.Script = publisher, _ body: (Workplace, ScriptedServer) throws -> Void
  ) throws {
    let server = try ScriptedServer(script: script)
    defer { server.stop() }
    try Workplace.with { place throws in
      try TinyCatalogue.write(to: place.directory.file("catalog")) { server.url($0) }
      try body(place, server)
    }
  }

  private func installed(_ place: Workplace) throws -> [Installed] {
    let outcome = try place.zoo("list", "--installed", "--json")
    #expect(outcome.code == 0, "\(outcome.errors)")
    return try JSONDecoder().decode([Installed].self, from: Data(outcome.output.utf8))
  }

  @Test func pulledWeightsAreListedUsedAndRemoved() throws {
    try withServer { place, _ throws in
      let pulled = try place.zoo("pull", "tiny", "tiny:IMAGENET1K_V1", "--catalog", "catalog")
      #expect(pulled.code == 0, "\(pulled.errors)")
      // Nothing but the note that the name alone stands for the other weights.
      #expect(pulled.complaints.count == 1 && pulled.errors.contains("tiny alone stands for"))
      #expect(pulled.output.contains("tiny:IMAGENET1K_V2  "))
      let entries = try installed(place)
      #expect(entries.map(\.weights) == ["IMAGENET1K_V1", "IMAGENET1K_V2"])
      #expect(entries.allSatisfy { $0.digest?.count == 64 && $0.bytes > 5000 })
      #expect(try place.zoo("list", "--installed").output.contains("tiny\tIMAGENET1K_V1\t"))
      let picture = Fixture.path("vision/rgb8.png")
      for name in ["tiny", "tiny:IMAGENET1K_V1"] {
        #expect(try place.zoo("predict", name, picture, "--catalog", "catalog").code == 0)
      }
      for verb in ["predict", "embed"] {
        let rounded = try place.zoo(verb, "tiny", picture, "--precision", "int8", "--catalog", "catalog")
        #expect(rounded.code == 64 && rounded.output.isEmpty)
        #expect(rounded.complaints.count == 1 && rounded.errors.contains("--precision int8 is for text models"))
      }
      #expect(try place.zoo("verify", "tiny", "--catalog", "catalog").code == 0)
      #expect(try place.zoo("export", "tiny", "--to", "npz", "--catalog", "catalog").code == 0)
      #expect(place.exists("tiny.npz"))
      #expect(try place.zoo("rm", "tiny:IMAGENET1K_V1").output.hasPrefix("removed tiny:IMAGENET1K_V1"))
      #expect(try installed(place).map(\.weights) == ["IMAGENET1K_V2"])
      #expect(try place.zoo("rm", "tiny").code == 0)
      let gone = try place.zoo("rm", "tiny")
      #expect(gone.code == 66 && gone.errors.contains("tiny is not in the store"))
    }
  }

  @Test func allOfAPatternArePulledAndOneThatFailsKeepsNoOther() throws {
    try withServer { place, server throws in
      try TinyCatalogue.write(to: place.directory.file("catalog"), model: "tiny_lost") { _ in server.url("lost.pth") }
      let outcome = try place.zoo("pull", "--all", "tiny*", "--catalog", "catalog", "--json")
      #expect(outcome.code == 69)
      #expect(outcome.complaints.count == 1 && outcome.errors.contains("404"))
      #expect(try installed(place).map(\.model) == ["tiny"])
    }
  }

  @Test func wrongUsageAndUnknownNames() throws {
    try withServer { place, server throws in
      let catalog = ["--catalog", "catalog"]
      for (arguments, code) in [
        (["pull"], 64), (["pull", "tiny", "--all", "t*"], 64), (["pull", "tiny:V1", "--weights", "V1"], 64),
        (["pull", "tinny"], 66), (["pull", "tiny:V9"], 66), (["pull", "tiny", "--weights", "V9"], 66),
      ] as [([String], Int32)] {
        let outcome = try Program.run(arguments + catalog, in: place.directory.path)
        #expect(outcome.code == code, "\(arguments): \(outcome.errors)")
        #expect(outcome.output.isEmpty)
      }
      #expect(server.requests.isEmpty)
    }
  }

  @Test func mirrorsComeBeforeThePublisher() throws {
    try withServer { place, publisher throws in
      let mirror = try ScriptedServer(script: Self.publisher)
      defer { mirror.stop() }
      let environment = ["ZOO_MIRROR": "http://127.0.0.1:1/none,\(mirror.url("weights"))"]
      let outcome = try Program.run(
        ["pull", "tiny", "--catalog", "catalog"], in: place.directory.path, environment: environment)
      // The first refuses every connection, which is tried again before the next has its turn.
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.complaints.count == 1 && outcome.errors.contains("trying the next source"))
      #expect(mirror.requests.first?.hasPrefix("GET /weights/tiny-v2.pth ") == true)
      #expect(publisher.requests.isEmpty)
    }
  }

  @Test func wrongBytesAreToldAndNotKept() throws {
    try withServer({ _, _ in .http("200 OK", [UInt8](repeating: 7, count: 9000)[...]) }) { place, _ throws in
      let outcome = try place.zoo("pull", "tiny", "--catalog", "catalog")
      #expect(outcome.code == 65)
      #expect(outcome.complaints.count == 1)
      let published = try TinyCatalogue.sha256(of: "tiny-v2.pth").prefix(8)
      #expect(outcome.errors.contains("published is \(published)…"))
      #expect(outcome.errors.contains("SHA-256 is \(Self.sevens)"))
      #expect(try installed(place).isEmpty)
    }
  }

  @Test(arguments: [false, true])
  func fullDiskIsAnErrorOfItsOwn(duringConversion: Bool) throws {
    try withServer { place, _ throws in
      if duringConversion {
        let folder = place.directory.file("store/downloads")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
          atPath: Fixture.path("store/tiny-v2.pth"), toPath: folder + "/tiny-v2.pth")
      }
      // Four blocks of 512 bytes are less than either file needs.
      let limited = try Program.run(
        ["pull", "tiny", "--catalog", "catalog"], in: place.directory.path, shell: "ulimit -f 4")
      #expect(limited.code == 74, "\(limited.errors)")
      #expect(limited.complaints.count == 1)
      #expect(limited.errors.contains(duringConversion ? "converted.safetensors: write" : "tiny-v2.pth.partial: write"))
      #expect(try installed(place).isEmpty)
      #expect(try place.zoo("pull", "tiny", "--catalog", "catalog").code == 0)
      #expect(try installed(place).map(\.weights) == ["IMAGENET1K_V2"])
    }
  }

  @Test func killedAtAnyMomentItLeavesTheStoreWhole() throws {
    try withServer({ request, number in
      var answer = Self.publisher(request, number)
      answer.pause = 0.004
      return answer
    }) { place, _ throws in
      var wasKilledInTheMiddle = false
      for moment in 0..<200 {
        let start = ContinuousClock.now
        let outcome = try Program.run(
          ["pull", "tiny", "--force", "--catalog", "catalog"], in: place.directory.path, signal: SIGKILL
        ) { ContinuousClock.now - start > .milliseconds(60 * moment) }
        let unfinished = place.directory.file("store/unfinished")
        let left = (try? FileManager.default.subpathsOfDirectory(atPath: unfinished)) ?? []
        if outcome.code == SIGKILL, !left.isEmpty { wasKilledInTheMiddle = true }
        for entry in try installed(place) {
          #expect(entry.weights == "IMAGENET1K_V2")
          #expect(try place.zoo("verify", "tiny", "--catalog", "catalog").code == 0)
        }
        if outcome.code == 0 { break }
      }
      #expect(wasKilledInTheMiddle)
      #expect(try place.zoo("pull", "tiny", "--force", "--catalog", "catalog").code == 0)
      #expect(try installed(place).count == 1)
      let store = try FileManager.default.subpathsOfDirectory(atPath: place.directory.file("store"))
      #expect(store.filter { $0.hasPrefix("unfinished/") || $0.contains(".partial") } == [])
      #expect(store.filter { $0.hasPrefix("blobs/") }.count == 1)
    }
  }

  @Test func ctrlCKeepsWhatHasArrived() throws {
    let half = try TinyCatalogue.bytes(of: "tiny-v2.pth")
    try withServer({ request, number in
      number == 1
        ? .http("200 OK", half[..<9000], length: half.count, headers: ["ETag: \"tiny-v2.pth\""], stalls: true)
        : Self.publisher(request, number)
    }) { place, server throws in
      let partial = place.directory.file("store/unfinished/tiny-v2.pth/tiny-v2.pth.partial")
      let outcome = try place.zoo("pull", "tiny", "--catalog", "catalog") {
        ((try? FileManager.default.attributesOfItem(atPath: partial))?[.size] as? Int) == 9000
      }
      #expect(outcome.code == 130)
      #expect(try place.zoo("pull", "tiny", "--catalog", "catalog").code == 0)
      #expect(server.requests.last?.contains("Range: bytes=9000-") == true)
    }
  }
}
