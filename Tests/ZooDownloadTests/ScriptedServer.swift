import Foundation
import Synchronization

/// An HTTP server on loopback that answers as a test says, one connection after another.
final class ScriptedServer: Sendable {
  /// Bytes to send for a request's text; the connection then closes.
  typealias Answer = @Sendable (_ request: String, _ number: Int) -> [UInt8]

  let port: UInt16
  private let socket: Int32
  private let seen = Mutex<[String]>([])

  /// The requests so far.
  var requests: [String] { seen.withLock { $0 } }

  init(answer: @escaping Answer) throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
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
    Thread.detachNewThread { [self] in serve(answer) }
  }

  func url(_ name: String) -> String { "http://127.0.0.1:\(port)/\(name)" }

  func stop() {
    shutdown(socket, Int32(SHUT_RDWR))
    close(socket)
  }

  private func serve(_ answer: Answer) {
    while true {
      let connection = accept(socket, nil, nil)
      guard connection >= 0 else { return }
      let request = read(connection)
      let number = seen.withLock {
        $0.append(request)
        return $0.count
      }
      let bytes = answer(request, number)
      var done = 0
      while done < bytes.count {
        let sent = bytes.withUnsafeBytes { buffer in
          send(connection, buffer.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL))
        }
        guard sent > 0 else { break }
        done += sent
      }
      close(connection)
    }
  }

  private func read(_ connection: Int32) -> String {
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
