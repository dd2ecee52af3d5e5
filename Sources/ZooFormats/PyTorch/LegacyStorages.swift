import ZooCheckpoint

/// The storages that follow the pickles of PyTorch's legacy format.
///
/// Each is a little-endian count of elements and the elements. torch writes them little-endian on every machine,
/// whatever the file's system information says of its byte order, and reads them so.
struct LegacyStorages: StorageSource {
  private var storages: [String: (storage: MappedStorage, bytes: Int)] = [:]

  /// Where the last storage ends.
  private(set) var end: Int

  var isByteSwapped: Bool { false }

  /// - Parameters:
  ///   - keys: in the order of the file.
  ///   - references: one for each key at least; it tells the size of an element.
  ///   - start: where the first storage's count stands.
  /// - Throws: ``PyTorchError``.
  init(file: MappedFile, keys: [String], references: [String: StorageReference], start: Int) throws {
    var place = start
    for key in keys {
      func fail(_ fault: PyTorchError.Fault) -> PyTorchError {
        PyTorchError(file: file.path, place: "storage \(key) at byte \(place)", fault: fault)
      }
      guard let reference = references[key] else { throw fail(.missingStorage(key: key)) }
      guard storages[key] == nil else {
        throw fail(.malformed(what: "the storage's key", found: "repeated", expected: "unique"))
      }
      let claimed: Int
      do throws(PyTorchFault) { claimed = try reference.byteCount() } catch { throw fail(error.fault) }
      guard file.count - place >= 8 else { throw fail(.truncated(needed: 8, remaining: file.count - place)) }
      let elements = try file.withBytes(offset: place, count: 8) {
        Int64(littleEndian: $0.loadUnaligned(as: Int64.self))
      }
      guard elements == reference.elements else {
        throw fail(
          .malformed(
            what: "the storage's size", found: "\(elements) elements",
            expected: "\(reference.elements) as in the pickle"))
      }
      place += 8
      guard claimed <= file.count - place else {
        throw fail(.truncated(needed: claimed, remaining: file.count - place))
      }
      storages[key] = (try MappedStorage(file: file, offset: place, count: claimed), claimed)
      place += claimed
    }
    end = place
  }

  func storage(_ reference: StorageReference) throws -> any ByteStorage {
    guard let (storage, bytes) = storages[reference.key] else {
      throw PyTorchFault(.missingStorage(key: reference.key))
    }
    let claimed = try reference.byteCount()
    guard bytes == claimed else {
      throw PyTorchFault(.storageSize(key: reference.key, claimed: claimed, found: bytes))
    }
    return storage
  }
}
