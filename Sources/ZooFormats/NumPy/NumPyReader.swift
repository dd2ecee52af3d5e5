import Foundation
import ZooCheckpoint

/// Reads `.npy` arrays and `.npz` archives of them. Arrays of objects are pickles and never looked into.
enum NumPyReader {
  /// One array; it is named by its file.
  ///
  /// - Throws: ``NumPyError``, `FileError`.
  static func readArray(_ file: MappedFile) throws -> WeightFile {
    let storage = try MappedStorage(file: file, offset: 0, count: file.count)
    let header = try file.withBytes(offset: 0, count: min(file.count, NumPyHeader.limit)) { bytes in
      do throws(NumPyFault) { return try NumPyHeader(bytes) } catch {
        throw NumPyError(file: file.path, array: nil, fault: error.fault)
      }
    }
    var result = WeightFile(path: file.path, format: .numPyArray, stateDict: StateDict())
    let name = URL(filePath: file.path).deletingPathExtension().lastPathComponent
    do throws(NumPyFault) {
      result.stateDict[name] = try tensor(header, storage: storage, as: nil)
    } catch {
      throw NumPyError(file: file.path, array: nil, fault: error.fault)
    }
    return result
  }

  /// All arrays of an archive, named as in it. Stored ones are views of the mapped file; compressed ones are unpacked
  /// when they are read.
  ///
  /// - Throws: ``NumPyError``, ``ZipError``, `FileError`.
  static func readArchive(_ file: MappedFile, archive: ZipArchive, options: ReadOptions) throws -> WeightFile {
    var result = WeightFile(path: file.path, format: .numPyArchive, stateDict: StateDict())
    let carried = archive.comment.withUnsafeBytes { WeightFile.carriedStrings($0) } ?? [:]
    let types = WeightFile.carriedTypes(carried)
    for entry in archive.entries {
      guard entry.name.hasSuffix(".npy") else {
        result.skipped.append(SkippedEntry(name: entry.name, reason: "is no array"))
        continue
      }
      let name = String(entry.name.dropLast(".npy".count))
      let record = archive.record(entry)
      do {
        let header = try record.withPrefix(NumPyHeader.limit) { bytes throws(NumPyFault) in try NumPyHeader(bytes) }
        result.stateDict[name] = try tensor(header, storage: record, as: types[name])
        result.records.append(record)
      } catch let fault as NumPyFault {
        let error = NumPyError(file: file.path, array: name, fault: fault.fault)
        guard case .unsupportedType = fault.fault else {
          guard options.salvage else { throw error }
          result.skipped.append(SkippedEntry(name: name, reason: error.report.problem))
          continue
        }
        result.skipped.append(SkippedEntry(name: name, reason: error.report.problem))
      }
    }
    guard result.stateDict.count > 0 else {
      throw NumPyError(file: file.path, array: nil, fault: .noTensors(arrays: archive.entries.count))
    }
    try result.takeCarriedMetadata(carried)
    return result
  }

  /// The array as a view: of columns first where Fortran's order is.
  private static func tensor(
    _ header: NumPyHeader, storage: any ByteStorage, as carried: DType?
  ) throws(NumPyFault) -> Tensor {
    let (dtype, isByteSwapped): (DType, Bool)
    switch header.type {
    case .elements(let type, let swapped): (dtype, isByteSwapped) = (type, swapped)
    case .opaque(let size):
      if let carried, carried.size == size {
        (dtype, isByteSwapped) = (carried, false)
      } else if size == 2 {
        (dtype, isByteSwapped) = (.bfloat16, false)
      } else {
        throw NumPyFault(.unsupportedType("|V\(size)"))
      }
    case .objects: throw NumPyFault(.objects)
    case .unsupported(let type): throw NumPyFault(.unsupportedType(type))
    }
    var count = dtype.size
    for size in header.shape {
      let (product, overflowed) = count.multipliedReportingOverflow(by: size)
      guard !overflowed, product <= Int.max / 8 else { throw NumPyFault(.tooLarge(shape: header.shape)) }
      count = product
    }
    guard count == storage.count - header.dataOffset else {
      throw NumPyFault(.size(needed: count, found: storage.count - header.dataOffset))
    }
    let data = SlicedStorage(storage, offset: header.dataOffset, count: count)
    var strides: [Int]?
    if header.isFortran, count > 0 {
      var step = 1
      strides = header.shape.map { size in
        defer { step *= size }
        return step
      }
    }
    do {
      return try Tensor(
        dtype: dtype, shape: header.shape, strides: strides, storage: data, isByteSwapped: isByteSwapped)
    } catch {
      throw NumPyFault(.tooLarge(shape: header.shape))
    }
  }
}
