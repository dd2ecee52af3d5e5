/// Why a file could not be fetched.
public enum DownloadError: Error, Sendable, Equatable {
  /// No `http` or `https` address of a file.
  case badAddress(url: String)
  /// `status` is HTTP's, 0 where no answer came.
  case failed(url: String, status: Int, problem: String)
  /// The bytes that arrived are not those that were published. `sum` is `SHA-256` or `MD5`.
  case wrongDigest(url: String, sum: String, published: String, found: String)
}
