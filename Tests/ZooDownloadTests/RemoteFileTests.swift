import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooDownload

@Suite struct RemoteFileTests {
  private static let content = [UInt8]((0..<50_000).map { UInt8(truncatingIfNeeded: $0 * 7) })

  private static func answer(
    _ status: String, _ body: ArraySlice<UInt8>, length: Int? = nil, headers: String = "ETag: \"v1\"\r\n"
  ) -> [UInt8] {
    Array("HTTP/1.1 \(status)\r\nContent-Length: \(length ?? body.count)\r\n\(headers)Connection: close\r\n\r\n".utf8)
      + body
  }

  /// Fetches `model.pth` from a server that answers so; gives the bytes that arrived and what was asked.
  private func fetch(
    times: Int = 1, _ answer: @escaping @Sendable (_ request: String, _ number: Int) -> [UInt8]
  ) throws -> (bytes: [UInt8], requests: [String]) {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let server = try ScriptedServer(answer: answer)
    defer { server.stop() }
    var file = try RemoteFile(server.url("model.pth?download=1"), cache: directory.path)
    file.retries.firstPause = 0.01
    file.patience = 2
    for _ in 0..<times { try file.fetch() }
    #expect(URL(filePath: file.path).lastPathComponent == "model.pth")
    return ([UInt8](try Data(contentsOf: URL(filePath: file.path))), server.requests)
  }

  @Test func fileArrivesWhole() throws {
    let (bytes, requests) = try fetch { _, _ in Self.answer("200 OK", Self.content[...]) }
    #expect(bytes == Self.content)
    #expect(requests.count == 1)
  }

  @Test func cutDownloadGoesOnWhereItEnded() throws {
    let (bytes, requests) = try fetch { _, number in
      number == 1
        ? Self.answer("200 OK", Self.content[..<20_000], length: 50_000)
        : Self.answer(
          "206 Partial Content", Self.content[20_000...],
          headers: "ETag: \"v1\"\r\nContent-Range: bytes 20000-49999/50000\r\n")
    }
    #expect(bytes == Self.content)
    #expect(requests.count == 2 && requests[1].contains("Range: bytes=20000-\r\nIf-Range: \"v1\""))
  }

  @Test(arguments: [
    ("416 Range Not Satisfiable", "Content-Range: bytes */50000\r\n"),
    ("206 Partial Content", "Content-Range: bytes 0-49999/50000\r\n"), ("206 Partial Content", ""),
  ])
  func partThatTheServerDoesNotGoOnFromIsFetchedAnew(_ status: String, _ headers: String) throws {
    let (bytes, requests) = try fetch { request, number in
      if number == 1 { return Self.answer("200 OK", Self.content[...], length: 60_000) }
      return request.contains("Range:")
        ? Self.answer(status, Self.content[...], headers: headers) : Self.answer("200 OK", Self.content[...])
    }
    #expect(bytes == Self.content)
    #expect(requests.count == 3 && !requests[2].contains("Range:"))
  }

  @Test func programThatIsEndedAmidADownloadFindsItsPartAgain() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let server = try ScriptedServer { _, _ in Self.answer("200 OK", Self.content[...]) }
    defer { server.stop() }
    let file = try RemoteFile(server.url("model.pth"), cache: directory.path)
    var remembered: Set<String> = []
    try file.fetch { _, _ in
      remembered.insert((try? String(contentsOfFile: file.path + ".partial.validator", encoding: .utf8)) ?? "none")
    }
    #expect(remembered == ["\"v1\""])
  }

  @Test func changedFileStartsAnewAfterCut() throws {
    let other = [UInt8](Self.content.reversed())
    let (bytes, _) = try fetch { _, number in
      number == 1
        ? Self.answer("200 OK", Self.content[..<20_000], length: 50_000)
        : Self.answer("200 OK", other[...], headers: "ETag: \"v2\"\r\n")
    }
    #expect(bytes == other)
  }

  @Test func unchangedCopyIsNotFetchedAgain() throws {
    let (bytes, requests) = try fetch(times: 2) { request, _ in
      request.contains("If-None-Match: \"v1\"")
        ? Array("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".utf8)
        : Self.answer("200 OK", Self.content[...])
    }
    #expect(bytes == Self.content)
    #expect(requests.count == 2)
  }

  @Test func serverThatIsBusyIsAskedAgain() throws {
    let (bytes, requests) = try fetch { _, number in
      number < 3 ? Self.answer("503 Busy", []) : Self.answer("200 OK", Self.content[...])
    }
    #expect(bytes == Self.content)
    #expect(requests.count == 3)
  }

  @Test func redirectIsFollowed() throws {
    let (bytes, _) = try fetch { request, _ in
      request.hasPrefix("GET /model.pth")
        ? Self.answer("302 Found", [], headers: "Location: /elsewhere\r\n")
        : Self.answer("200 OK", Self.content[...])
    }
    #expect(bytes == Self.content)
  }

  @Test func twoThatWantOneFileTakeTurns() async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let server = try ScriptedServer { _, _ in Self.answer("200 OK", Self.content[...], headers: "") }
    defer { server.stop() }
    let file = try RemoteFile(server.url("model.pth"), cache: directory.path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { try file.fetch() } }
      try await group.waitForAll()
    }
    #expect([UInt8](try Data(contentsOf: URL(filePath: file.path))) == Self.content)
  }

  @Test func missingFileIsToldAtOnceAndNothingStaysUnderItsName() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let server = try ScriptedServer { _, _ in Self.answer("404 Not Found", Array("sorry".utf8)[...]) }
    defer { server.stop() }
    let file = try RemoteFile(server.url("none.pth"), cache: directory.path)
    do {
      try file.fetch()
      Issue.record("fetched what isn't there")
    } catch let error as DownloadError {
      #expect(error.report.kind == .unavailable)
      #expect(error.report.line.contains("404") && error.report.line.hasSuffix("check the address"))
    }
    #expect(!FileManager.default.fileExists(atPath: file.path))
    #expect(server.requests.count == 1)
  }

  @Test func connectionThatAlwaysBreaksIsGivenUp() throws {
    #expect(throws: DownloadError.self) {
      _ = try fetch { _, _ in Self.answer("200 OK", Self.content[..<10], length: 50_000, headers: "") }
    }
  }

  @Test(arguments: [
    "https://", "http:///x", "https://host", "https://host/", "ftp://host/x", "model.pth",
    "https://host/a/..%2F..%2Fb.pth", "https://host/%2Fb", "https://host/a/%2e%2e", "https://host/a/b%00c",
  ])
  func whatIsNoAddressOfAFileIsRefused(_ url: String) {
    #expect(throws: DownloadError.badAddress(url: url)) { _ = try RemoteFile(url, cache: "/nowhere") }
  }
}
