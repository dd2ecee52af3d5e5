import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooDownload

@Suite struct VerifiedDownloadTests {
  private static let content = [UInt8]((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* $0 &+ $0 >> 7) })
  private static let other = [UInt8](content.reversed())
  private static let digest: String = {
    var digest = RunningDigest()
    content.withUnsafeBytes { digest.update($0) }
    return digest.sums.sha256
  }()

  private struct Fetched {
    let bytes: [UInt8]
    let requests: [String]
    let sums: RunningDigest.Sums
    let failures: [DownloadError]
  }

  /// Fetches from servers that answer so, one after another, into a folder where `partial` is left from before.
  private func fetch(
    partial: [UInt8] = [], published: String? = digest, largest: Int? = nil, tries: Int = 3,
    _ scripts: ScriptedServer.Script...
  ) throws -> Fetched {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let servers = try scripts.map { try ScriptedServer(script: $0) }
    defer { for server in servers { server.stop() } }
    let path = directory.file("model.pth")
    if !partial.isEmpty { try Data(partial).write(to: URL(filePath: path + ".partial")) }
    var download = try VerifiedDownload(
      sources: servers.map { $0.url("model.pth") }, path: path,
      published: .init(sha256: published, largest: largest))
    download.retries.firstPause = 0.01
    download.retries.attempts = tries
    download.patience = 1
    var failures: [DownloadError] = []
    do {
      let sums = try download.fetch(failed: { failures.append($0) })
      #expect(!FileManager.default.fileExists(atPath: path + ".partial"))
      return Fetched(
        bytes: [UInt8](try Data(contentsOf: URL(filePath: path))), requests: servers.flatMap(\.requests), sums: sums,
        failures: failures)
    } catch {
      #expect(!FileManager.default.fileExists(atPath: path))
      throw error
    }
  }

  private static let honest: ScriptedServer.Script = { request, _ in .file(content, etag: "v1", request: request) }

  @Test(arguments: [8, 64])
  func digestIsOfTheBytesThatArrived(digits: Int) throws {
    let fetched = try fetch(published: String(Self.digest.prefix(digits)), Self.honest)
    #expect(fetched.bytes == Self.content)
    #expect(fetched.sums.sha256 == Self.digest)
  }

  @Test func stalledDownloadGoesOnWhereItStopped() throws {
    let fetched = try fetch { request, number in
      number == 1
        ? .http("200 OK", Self.content[..<70_000], length: Self.content.count, headers: ["ETag: \"v1\""], stalls: true)
        : .file(Self.content, etag: "v1", request: request)
    }
    #expect(fetched.bytes == Self.content)
    #expect(fetched.requests.count == 2 && fetched.requests[1].contains("Range: bytes=70000-"))
  }

  @Test func downloadThatBreaksOffOftenArrivesWholeAsLongAsItGetsOn() throws {
    let fetched = try fetch { request, number in
      var answer = ScriptedServer.Answer.file(Self.content, etag: "v1", request: request)
      answer.bytes = Array(answer.bytes.prefix(number < 9 ? 20_000 : .max))
      return answer
    }
    #expect(fetched.bytes == Self.content)
    #expect(fetched.requests.count == 9)
    #expect(fetched.sums.sha256 == Self.digest)
  }

  @Test func serverWithoutVersionsIsAskedForTheRestToo() throws {
    let fetched = try fetch(partial: Array(Self.content[..<50_000])) { request, _ in
      .file(Self.content, etag: nil, request: request)
    }
    #expect(fetched.bytes == Self.content)
    #expect(fetched.requests.count == 1 && fetched.requests[0].contains("Range: bytes=50000-"))
  }

  @Test func partOfAnotherVersionIsThrownAway() throws {
    let fetched = try fetch(partial: Array(Self.other[..<50_000])) { request, _ in
      .file(Self.content, etag: nil, request: request)
    }
    #expect(fetched.bytes == Self.content)
    #expect(fetched.requests.count == 2 && !fetched.requests[1].contains("Range:"))
  }

  @Test func fileThatChangesBetweenAttemptsIsNeverMixed() throws {
    let fetched = try fetch { request, number in
      number == 1
        ? .http("200 OK", Self.other[..<90_000], length: Self.other.count, headers: ["ETag: \"v0\""])
        : .file(Self.content, etag: "v1", request: request)
    }
    #expect(fetched.bytes == Self.content)
    #expect(fetched.requests[1].contains("If-Range: \"v0\""))
  }

  @Test func partLongerThanTheFileIsThrownAway() throws {
    let fetched = try fetch(partial: Self.other + [1, 2, 3], Self.honest)
    #expect(fetched.bytes == Self.content)
  }

  @Test func wholePartIsNotFetchedAgain() throws {
    let fetched = try fetch(partial: Self.content, Self.honest)
    #expect(fetched.bytes == Self.content)
    #expect(fetched.requests.isEmpty)
  }

  @Test func lengthThatIsTooShortShowsInTheDigest() throws {
    #expect {
      try fetch { _, _ in .http("200 OK", Self.content[...], length: 1000) }
    } throws: { error in
      guard case DownloadError.wrongDigest(_, "SHA-256", Self.digest, let found) = error else { return false }
      return found.count == 64 && found != Self.digest
    }
  }

  @Test func wrongBytesAreToldWithBothSums() throws {
    #expect {
      try fetch(published: String(Self.digest.prefix(8))) { request, _ in
        .file(Self.other, etag: "v1", request: request)
      }
    } throws: { error in
      guard let report = (error as? DownloadError)?.report else { return false }
      var sums = RunningDigest()
      Self.other.withUnsafeBytes { sums.update($0) }
      return report.kind == .badData && report.line.contains("\(Self.digest.prefix(8))…")
        && report.line.contains(sums.sums.sha256)
    }
  }

  @Test func serverThatNeverEndsIsStopped() throws {
    #expect(throws: DownloadError.self) {
      try fetch(largest: 50_000) { _, _ in
        .init(bytes: Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8) + Self.content)
      }
    }
  }

  @Test func busyServerIsAskedAgainWhenItSays() throws {
    let clock = ContinuousClock()
    let fetched = try clock.measure {
      let fetched = try fetch { request, number in
        number == 1
          ? .http("503 Busy", headers: ["Retry-After: 1"]) : .file(Self.content, etag: "v1", request: request)
      }
      #expect(fetched.bytes == Self.content)
      #expect(fetched.requests.count == 2)
    }
    // Not a matter of speed: it must not come back sooner.
    #expect(fetched >= .seconds(1))
  }

  @Test func serverThatWantsToBeLeftAloneForLongIsGivenUp() throws {
    #expect {
      try fetch { _, _ in .http("429 Too Many Requests", headers: ["Retry-After: 3600"]) }
    } throws: { error in
      if case DownloadError.failed(_, 429, _) = error { true } else { false }
    }
  }

  @Test func mirrorsAreTriedInOrder() throws {
    let fetched = try fetch(
      { _, _ in .http("404 Not Found") }, { request, _ in .file(Self.other, etag: "v1", request: request) },
      Self.honest)
    #expect(fetched.bytes == Self.content)
    #expect(fetched.failures.count == 2)
    if case .failed(_, 404, _) = fetched.failures[0] {} else { Issue.record("\(fetched.failures)") }
    if case .wrongDigest = fetched.failures[1] {} else { Issue.record("\(fetched.failures)") }
  }

  @Test func mirrorsComeFromTheEnvironment() {
    let mirrors = Mirrors(environment: ["ZOO_MIRROR": "https://a/x, http://b/y/,"])
    #expect(
      mirrors.sources(of: "m-1.pth", published: "https://p/m-1.pth") == [
        "https://a/x/m-1.pth", "http://b/y/m-1.pth", "https://p/m-1.pth",
      ])
    #expect(Mirrors(environment: [:]).sources(of: "m", published: "https://p/m") == ["https://p/m"])
  }
}
