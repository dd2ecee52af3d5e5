import CHDF5
import Synchronization
import ZooCheckpoint

/// The groups, attributes and empty datasets of an HDF5 file, and where the datasets' bytes go.
struct HDF5Structure {
  /// Where a dataset's bytes go, and what they are.
  struct Place {
    let offset: Int
    let dtype: DType
  }

  private(set) var places: [String: Place] = [:]

  /// libhdf5 may be built without locks of its own.
  private static let library = Mutex(())

  /// Makes the file anew at `path`.
  ///
  /// - Parameters:
  ///   - dtype: what floating-point tensors become; nil keeps theirs.
  ///   - name: of the model.
  ///   - strings: attributes of the root.
  ///   - source: the file that the tensors come from, for errors.
  /// - Throws: ``KerasExportError``.
  init(
    _ layout: KerasLayout, dtype: DType?, name: String, strings: [(name: String, text: String)], source: String,
    path: String
  ) throws {
    places = try Self.library.withLock { _ in
      guard let writer = zoo_hdf5_create(path) else { throw KerasExportError.library(file: source, path: "/") }
      var isFinished = false
      defer { if !isFinished { _ = zoo_hdf5_finish(writer) } }
      func check(_ result: Int32, _ place: String) throws {
        guard result == 0 else { throw KerasExportError.library(file: source, path: place) }
      }
      for string in strings { try check(zoo_hdf5_set_string(writer, "/", string.name, string.text), "/") }
      try check(zoo_hdf5_make_group(writer, "vars"), "vars")
      try check(zoo_hdf5_set_string(writer, "vars", "name", name), "vars")
      for (group, name) in layout.names {
        try check(zoo_hdf5_make_group(writer, group), group)
        try check(zoo_hdf5_set_string(writer, group, "name", name), group)
      }
      var places: [String: Place] = [:]
      for (variable, tensor) in layout.variables {
        let target = tensor.dtype.isFloatingPoint ? dtype ?? tensor.dtype : tensor.dtype
        guard let kind = Self.kind(of: target) else {
          throw KerasExportError.dtype(file: source, tensor: variable, dtype: target)
        }
        let offset = zoo_hdf5_make_dataset(
          writer, variable, kind, Int32(target.size), Int32(tensor.shape.count), tensor.shape.map { UInt64($0) })
        guard offset >= 0 else { throw KerasExportError.library(file: source, path: variable) }
        // Keras knows bfloat16 by this.
        if target == .bfloat16 { try check(zoo_hdf5_set_string(writer, variable, "dtype", "bfloat16"), variable) }
        places[variable] = Place(offset: Int(offset), dtype: target)
      }
      isFinished = true
      try check(zoo_hdf5_finish(writer), "/")
      return places
    }
  }

  private static func kind(of dtype: DType) -> zoo_hdf5_kind? {
    switch dtype {
    case .float64, .float32, .float16: zoo_hdf5_float
    case .bfloat16: zoo_hdf5_bfloat
    case .int64, .int32, .int16, .int8: zoo_hdf5_signed
    case .uint64, .uint32, .uint16, .uint8: zoo_hdf5_unsigned
    case .bool: zoo_hdf5_bool
    default: nil
    }
  }
}
