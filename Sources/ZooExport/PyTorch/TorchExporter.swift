import ZooCheckpoint

/// `.pth` as `torch.save(model.state_dict())` writes it: an `OrderedDict` of tensors and nothing else, which
/// `torch.load(weights_only=True)` reads and `load_state_dict(strict=True)` takes.
///
/// Labels, preprocessing and the rest are in a member of their own, `archive/extra/zoo.json`, which PyTorch doesn't
/// look at.
enum TorchExporter: Exporter {
  static let target = ExportTarget.torch

  static func write(_ source: ExportSource, to path: String, options: ExportOptions) throws -> ExportedFile {
    let file = try AtomicFile(path: path, overwrite: options.overwrite)
    let archive = TorchArchive(source, dtype: options.dtype)
    var zip = ZipWriter(file)
    try zip.add(TorchArchive.folder + "data.pkl", pickle(source, archive: archive))
    try zip.add(TorchArchive.folder + ".format_version", "1".utf8)
    try zip.add(TorchArchive.folder + ".storage_alignment", "64".utf8)
    try archive.addStorages(to: &zip)
    try zip.add(TorchArchive.folder + "extra/zoo.json", source.carriedJSON().utf8)
    try zip.finish()
    try file.commit()
    return ExportedFile(path: path, bytes: file.count, tensors: source.stateDict.count)
  }

  private static func pickle(_ source: ExportSource, archive: TorchArchive) -> [UInt8] {
    var pickle = PickleWriter()
    pickle.orderedDictionary()
    pickle.mark()
    for name in source.stateDict.names {
      pickle.string(name)
      archive.push(name, requiresGradient: false, to: &pickle)
    }
    pickle.setItems()
    // What load_state_dict reads to tell old layouts of a module from new ones.
    if !source.stateDict.versions.isEmpty {
      pickle.emptyDictionary()
      pickle.mark()
      pickle.string("_metadata")
      pickle.orderedDictionary()
      pickle.mark()
      for (module, version) in source.stateDict.versions {
        pickle.string(module)
        pickle.emptyDictionary()
        pickle.mark()
        pickle.string("version")
        pickle.integer(version)
        pickle.setItems()
      }
      pickle.setItems()
      pickle.setItems()
      pickle.build()
    }
    pickle.stop()
    return pickle.bytes
  }
}
