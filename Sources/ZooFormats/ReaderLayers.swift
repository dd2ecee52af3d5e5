import ZooCheckpoint

/// Single layers of the readers, for those who test them below ``WeightFile/open(path:salvage:)``.
package enum ReaderLayers {
  /// What a file is; nil where it is nothing that zoo knows.
  package static func format(of path: String) -> WeightFormat? {
    guard let file = try? MappedFile(path: path) else { return nil }
    return (try? RecognisedFile(file))?.format
  }

  /// Reads one pickle to its STOP.
  ///
  /// - Throws: ``PickleError``.
  package static func readPickle(_ bytes: UnsafeRawBufferPointer) throws {
    let document = try PickleInterpreter.read(bytes, file: "pickle", member: nil)
    _ = TensorReach(document.heap)
  }

  /// Lists a zip archive and unpacks every member.
  ///
  /// - Throws: ``ZipError``, ``FileError``.
  package static func readArchive(_ path: String) throws {
    let archive = try ZipArchive(MappedFile(path: path))
    for entry in archive.entries { try archive.record(entry).check() }
  }
}
