import Foundation
import Synchronization
import ZooCheckpoint

/// Data that an ONNX model keeps in files beside it.
///
/// A location is one relative path inside the model's directory, opened folder by folder without following links: what
/// is absolute, leaves the directory, is a link (also a hard one) or no regular file is refused. Two tensors may name
/// the same bytes only where they are the same tensor; any other overlap would let a small file become a large one.
final class ONNXExternalData: Sendable {
  private struct Opened {
    let file: MappedFile
    /// By their first byte.
    var ranges: [Int: Range] = [:]
    var starts: [Int] = []
  }

  private struct Range {
    let count: Int
    let dtype: DType
    let shape: [Int]
    let tensor: String
    let storage: MappedStorage
  }

  private let model: String
  private let directory: String
  private let files = Mutex<[String: Opened]>([:])

  init(model: String) {
    self.model = model
    directory = (model as NSString).deletingLastPathComponent
  }

  /// - Throws: ``ONNXError``, `FileError`.
  func storage(_ entries: [String: String], tensor: ONNXTensorSource) throws -> any ByteStorage {
    let location = entries["location"] ?? ""
    func fail(_ problem: String) -> ONNXError {
      ONNXError(file: model, place: tensor.name, fault: .external(location: location, problem: problem))
    }
    let size = tensor.storedSize
    guard let offset = Self.number(entries["offset"], or: 0) else {
      throw fail("starts at no byte: '\(entries["offset"] ?? "")'")
    }
    guard let count = Self.number(entries["length"], or: size) else {
      throw fail("has no length: '\(entries["length"] ?? "")'")
    }
    guard count == size else { throw fail("is said to be \(count) bytes long, but its shape needs \(size)") }
    let parts = try components(location, fail)
    if size == 0 { return MemoryStorage([]) }
    return try files.withLock { files in
      let key = parts.joined(separator: "/")
      if files[key] == nil { files[key] = Opened(file: try open(parts, fail)) }
      guard let file = files[key]?.file, offset <= file.count, count <= file.count - offset else {
        throw fail("ends after byte \(offset) + \(count), but that file has \(files[key]?.file.count ?? 0)")
      }
      let range = Range(
        count: count, dtype: tensor.type.dtype, shape: tensor.entry.dims, tensor: tensor.name,
        storage: try MappedStorage(file: file, offset: offset, count: count))
      return try place(range, at: offset, in: &files[key, default: Opened(file: file)], location)
    }
  }

  /// The storage of the range, shared with a tensor that has the very same one.
  private func place(
    _ range: Range, at offset: Int, in opened: inout Opened, _ location: String
  ) throws -> MappedStorage {
    func overlap(_ other: Range) -> ONNXError {
      ONNXError(file: model, place: range.tensor, fault: .overlap(location: location, other: other.tensor))
    }
    if let same = opened.ranges[offset] {
      guard same.count == range.count, same.dtype == range.dtype, same.shape == range.shape else {
        throw overlap(same)
      }
      return same.storage
    }
    let next = opened.starts.firstIndexAbove(offset)
    if next > 0, let before = opened.ranges[opened.starts[next - 1]],
      opened.starts[next - 1] + before.count > offset
    {
      throw overlap(before)
    }
    if next < opened.starts.count, let after = opened.ranges[opened.starts[next]],
      offset + range.count > opened.starts[next]
    {
      throw overlap(after)
    }
    opened.starts.insert(offset, at: next)
    opened.ranges[offset] = range
    return range.storage
  }

  /// Decimal digits and nothing else.
  private static func number(_ text: String?, or missing: Int) -> Int? {
    guard let text, !text.isEmpty else { return missing }
    return text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
  }

  private func components(_ location: String, _ fail: (String) -> ONNXError) throws -> [String] {
    guard !location.isEmpty, !location.hasPrefix("/"), !location.contains("\0"), !location.contains("\\") else {
      throw fail("is no path inside the model's folder")
    }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false).filter { $0 != "." }
    guard !parts.isEmpty, !parts.contains(where: { $0 == ".." || $0.isEmpty }), parts.count <= 16 else {
      throw fail("leads out of the model's folder")
    }
    return parts.map(String.init)
  }

  private func open(_ parts: [String], _ fail: (String) -> ONNXError) throws -> MappedFile {
    do {
      return try MappedFile(inside: directory.isEmpty ? "." : directory, components: parts)
    } catch .system(_, _, let code) where code == ELOOP || code == ENOTDIR {
      throw fail("lies behind a symbolic link, which is not followed")
    } catch .severalNames {
      throw fail("has several names (hard links), of which one may lie outside")
    } catch {
      throw fail(error.report.problem)
    }
  }
}

extension [Int] {
  /// Where a sorted list goes beyond a number.
  fileprivate func firstIndexAbove(_ number: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] <= number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
