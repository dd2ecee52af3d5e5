import Foundation
import Synchronization

/// An HTTP server on loopback that answers as a test says, each connection on a thread of its own.
public final class ScriptedServer: Sendable {
  /// What it does in answer to a request, before it closes the connection.
  public struct Answer: Sendable {
    /// Sent first.
    public var bytes: [UInt8]
    /// Whether it then stays silent, until the server stops or the client goes away.
    public var stalls = false
    /// Seconds between pieces of the answer; nil sends it at once.
    public var pause: Double?

    public init(bytes: [UInt8], stalls: Bool = false, pause: Double? = nil) {
      self.bytes = bytes
      self.stalls = stalls
      self.pause = pause
    }
  }

  /// - Parameter number: of the request, counted from 1.
  public typealias Script = @Sendable (_ request: String, _ number: Int) -> Answer

  public let port: UInt16
  private let socket: Int32
  private let seen = Mutex<[String]>([])

  /// The requests so far.
  public var requests: [String] { seen.withLock { $0 } }

  public init(script: @escaping Script) throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, size) == 0 && listen(socket, 8) == 0 && getsockname(socket, $0, &size) == 0
      }
    }
    guard socket >= 0, bound else { throw POSIXError(.EADDRNOTAVAIL) }
    self.socket = socket
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in serve(script) }
  }

  public convenience init(answer: @escaping @Sendable (_ request: String, _ number: Int) -> [UInt8]) throws {
    try self.init { Answer(bytes: answer($0, $1)) }
  }

  public func url(_ name: String) -> String { "http://127.0.0.1:\(port)/\(name)" }

  public func stop() {
    shutdown(socket, Int32(SHUT_RDWR))
    close(socket)
  }

  private func serve(_ script: @escaping Script) {
    while true {
      let connection = accept(socket, nil, nil)
      guard connection >= 0 else { return }
      // A program that a test starts must not keep it open.
      _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
      Thread.detachNewThread { [self] in
        let request = Self.read(connection)
        let number = seen.withLock {
          $0.append(request)
          return $0.count
        }
        Self.send(script(request, number), to: connection)
        close(connection)
      }
    }
  }

  private static func send(_ answer: Answer, to connection: Int32) {
    var done = 0
    let piece = answer.pause == nil ? answer.bytes.count : 2048
    while done < answer.bytes.count {
      let sent = answer.bytes.withUnsafeBytes { buffer in
        Glibc.send(
          connection, buffer.baseAddress.map { $0 + done }, min(piece, answer.bytes.count - done), Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return }
      done += sent
      if let pause = answer.pause { Thread.sleep(forTimeInterval: pause) }
    }
    var byte: UInt8 = 0
    // Returns once the client closes its side.
    if answer.stalls { while recv(connection, &byte, 1, 0) > 0 {} }
  }

  private static func read(_ connection: Int32) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
      let got = recv(connection, &buffer, buffer.count, 0)
      guard got > 0 else { break }
      bytes += buffer[0..<got]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension ScriptedServer.Answer {
  /// An answer with its body.
  ///
  /// - Parameter length: what the server says of the body's length; nil: the truth.
  public static func http(
    _ status: String, _ body: ArraySlice<UInt8> = [], length: Int? = nil, headers: [String] = [], stalls: Bool = false,
    pause: Double? = nil
  ) -> Self {
    let lines = ["HTTP/1.1 \(status)", "Content-Length: \(length ?? body.count)"] + headers + ["Connection: close"]
    return Self(bytes: Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body, stalls: stalls, pause: pause)
  }

  /// A file as an honest server gives it: ranges where the client's version (`If-Range`) is this one, or none is named.
  public static func file(_ content: [UInt8], etag: String?, request: String) -> Self {
    let tag = etag.map { ["ETag: \"\($0)\""] } ?? []
    let wanted = request.components(separatedBy: "Range: bytes=").dropFirst().first
    let start = wanted.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
    let isSame = !request.contains("If-Range:") || etag.map { request.contains("If-Range: \"\($0)\"") } ?? false
    guard start > 0, isSame else { return http("200 OK", content[...], headers: tag) }
    guard start < content.count else { return http("416 Range Not Satisfiable") }
    let range = "Content-Range: bytes \(start)-\(content.count - 1)/\(content.count)"
    return http("206 Partial Content", content[start...], headers: tag + [range])
  }
}
