import Foundation
import Synchronization
import ZooCheckpoint

/// Data that an ONNX model keeps in files beside it.
///
/// A location is one relative path inside the model's directory, opened folder by folder without following links: what
/// is absolute, leaves the directory, is a link (also a hard one) or no regular file is refused.
final class ONNXExternalData: Sendable {
  private let model: String
  private let directory: String
  private let files = Mutex<[String: MappedFile]>([:])

  init(model: String) {
    self.model = model
    directory = (model as NSString).deletingLastPathComponent
  }

  /// - Throws: ``ONNXError``, `FileError`.
  func storage(_ entries: [String: String], size: Int, tensor: String) throws -> any ByteStorage {
    let location = entries["location"] ?? ""
    func fail(_ problem: String) -> ONNXError {
      ONNXError(file: model, place: tensor, fault: .external(location: location, problem: problem))
    }
    let offset =
      try number(entries["offset"], or: 0) ?? { throw fail("starts at no byte: \(entries["offset"] ?? "")") }()
    let count = try number(entries["length"], or: size) ?? { throw fail("has no length: \(entries["length"] ?? "")") }()
    guard count == size else { throw fail("is said to be \(count) bytes long, but its shape needs \(size)") }
    if size == 0 { return MemoryStorage([]) }
    let file = try files.withLock { files in
      if let file = files[location] { return file }
      let file = try open(location, fail)
      files[location] = file
      return file
    }
    guard offset <= file.count, count <= file.count - offset else {
      throw fail("ends at byte \(offset &+ count), but that file has \(file.count)")
    }
    return try MappedStorage(file: file, offset: offset, count: count)
  }

  private func number(_ text: String?, or missing: Int) -> Int? {
    guard let text, !text.isEmpty else { return missing }
    guard let number = Int(text), number >= 0 else { return nil }
    return number
  }

  private func open(_ location: String, _ fail: (String) -> ONNXError) throws -> MappedFile {
    let parts = location.split(separator: "/", omittingEmptySubsequences: false).filter { $0 != "." }
    guard !location.isEmpty, !location.hasPrefix("/"), !location.contains("\0"), !location.contains("\\") else {
      throw fail("is no path inside the model's folder")
    }
    guard !parts.contains(where: { $0 == ".." || $0.isEmpty }), parts.count <= 16 else {
      throw fail("leads out of the model's folder")
    }
    do {
      return try MappedFile(inside: directory.isEmpty ? "." : directory, components: parts.map(String.init))
    } catch {
      throw fail(error.report.problem)
    }
  }
}
