import CCurl
import Foundation

/// One request for a file, whose bytes go into an open file.
struct Transfer {
  /// What came of it.
  struct Answer {
    /// Whether the whole file stands there now, or the server said that nothing changed (304).
    let isWhole: Bool
    /// HTTP's; 0 where no answer came, and 416 too where the server goes on from another place than it was asked.
    let status: Int
    /// Whether trying again may help.
    let isTransient: Bool
    let problem: String
    /// The server's name for this version of the file: ETag or, failing that, Last-Modified.
    let validator: String?
    /// Seconds until the server wants to be asked again.
    let retryAfter: Double?
    /// errno where the bytes could not be kept; else 0.
    let fileError: Int32
  }

  typealias Begun = (_ validator: String?) -> Void
  typealias Received = (_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Void

  private final class Observers {
    let begun: Begun
    let received: Received?
    let progress: RemoteFile.Progress?

    init(_ begun: @escaping Begun, _ received: Received?, _ progress: RemoteFile.Progress?) {
      self.begun = begun
      self.received = received
      self.progress = progress
    }
  }

  let url: String
  /// A longer file is refused.
  var largest = 1 << 40
  /// Seconds without any byte before a server counts as stalled.
  var patience = 60

  /// - Parameters:
  ///   - have: bytes that stand in the file, after which a partial answer goes on.
  ///   - begun: called before the first byte of the file is kept.
  ///   - received: gets the bytes with the place where they stand; an answer that is whole begins at 0.
  func run(
    into descriptor: Int32, have: Int, headers: [String], begun: @escaping Begun, received: Received? = nil,
    progress: RemoteFile.Progress?
  ) -> Answer {
    let pointers: [UnsafePointer<CChar>?] = headers.map { UnsafePointer(strdup($0)) } + [nil]
    defer { for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) } }
    let observers = Observers(begun, received, progress)
    var result = zoo_fetch_result()
    let status = withExtendedLifetime(observers) {
      url.withCString { address in
        pointers.withUnsafeBufferPointer { headers in
          var request = zoo_fetch_request()
          request.url = address
          request.headers = headers.baseAddress
          request.descriptor = descriptor
          request.offset = Int64(have)
          request.largest = Int64(largest)
          request.patience = patience
          request.context = Unmanaged.passUnretained(observers).toOpaque()
          request.progress = { context, done, total in
            guard let context else { return 0 }
            let observers = Unmanaged<Observers>.fromOpaque(context).takeUnretainedValue()
            observers.progress?(Int(done), total < 0 ? nil : Int(total))
            return 0
          }
          request.begun = { context, result in
            guard let context, let result else { return }
            let observers = Unmanaged<Observers>.fromOpaque(context).takeUnretainedValue()
            observers.begun(result.pointee.validator)
          }
          request.received = { context, bytes, count, offset in
            guard let context else { return }
            let observers = Unmanaged<Observers>.fromOpaque(context).takeUnretainedValue()
            observers.received?(UnsafeRawBufferPointer(start: bytes, count: count), Int(offset))
          }
          return zoo_fetch(&request, &result)
        }
      }
    }
    return Answer(
      isWhole: status == 0, status: Int(result.status), isTransient: result.is_transient != 0,
      problem: result.problemText, validator: result.validator,
      retryAfter: result.retry_after > 0 ? Double(result.retry_after) : nil, fileError: result.file_error)
  }
}

extension zoo_fetch_result {
  fileprivate var problemText: String { Self.text(problem) }
  /// nil where the server gives none.
  fileprivate var validator: String? { [Self.text(etag), Self.text(modified)].first { !$0.isEmpty } }

  private static func text<T>(_ bytes: T) -> String {
    withUnsafeBytes(of: bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
