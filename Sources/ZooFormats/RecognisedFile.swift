import ZooCheckpoint

/// What a file is, by its bytes and never by its name, which lies often.
struct RecognisedFile {
  let format: WeightFormat
  /// The archive, where it is a zip.
  private(set) var archive: ZipArchive?
  /// Of a PyTorch zip: the folder, with its slash, that holds `data.pkl`.
  private(set) var folder = ""

  /// - Throws: ``FormatError``, ``ZipError``.
  init(_ file: MappedFile) throws {
    let head = try file.withBytes(offset: 0, count: min(file.count, 1024)) { [UInt8]($0) }
    // Spanned and empty archives have other signatures.
    if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) || head.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
      let archive = try ZipArchive(file)
      (format, folder) = try Self.zipFormat(archive)
      self.archive = archive
    } else if let format = Self.format(head: head, size: file.count) {
      self.format = format
    } else if try Self.hasHDF5BehindUserBlock(file) {
      format = .hdf5
    } else if let found = try TensorFlowSignature.format(head, file: file) {
      format = found
    } else if try ONNXSignature.matches(head, file: file) {
      format = .onnx
    } else {
      throw FormatError.unrecognised(file: file.path, firstBytes: Array(head.prefix(8)))
    }
  }

  private static func zipFormat(_ archive: ZipArchive) throws -> (WeightFormat, folder: String) {
    let pickles = archive.entries.filter { $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl") }
    let shallowest = pickles.min { depth($0.name) < depth($1.name) }
    if let pickle = shallowest {
      let folder = String(pickle.name.dropLast("data.pkl".count))
      let isScript = archive[folder + "constants.pkl"] != nil
      return (isScript ? .torchScript : .pyTorchZip, folder)
    }
    let names = archive.entries.map(\.name)
    if names.contains(where: { $0.hasSuffix("constants.pkl") || $0.hasSuffix("/model.json") }) {
      return (.torchScript, "")
    }
    if names.contains("config.json"), names.contains(where: { $0.hasPrefix("model.weights") }) { return (.keras, "") }
    if names.contains(where: { $0.hasSuffix(".npy") }) { return (.numPyArchive, "") }
    throw FormatError.unknownArchive(file: archive.file.path, members: Array(names.prefix(3)))
  }

  private static func depth(_ name: String) -> Int { name.utf8.count { $0 == 0x2F } }

  private static func format(head: [UInt8], size: Int) -> WeightFormat? {
    func starts(_ text: String) -> Bool { head.starts(with: Array(text.utf8)) }
    if isLegacy(head) { return .pyTorchLegacy }
    if head.starts(with: hdf5Signature) { return .hdf5 }
    if starts("GGUF") { return .gguf }
    if starts("PYTORCH1") { return .pyTorchPreview }
    if head.starts(with: [0x93] + Array("NUMPY".utf8)) { return .numPyArray }
    if head.starts(with: [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) { return .sevenZip }
    if head.starts(with: [0x1F, 0x8B]) { return .gzip }
    if head.count >= 262, head[257..<262].elementsEqual("ustar".utf8) { return .pyTorchTar }
    if isSafetensors(head, size: size) { return .safetensors }
    if starts("version https://git-lfs") { return .gitLFSPointer }
    let text = String(decoding: head.drop { $0 <= 0x20 }.prefix(64), as: UTF8.self).lowercased()
    if text.hasPrefix("<!doctype") || text.hasPrefix("<html") { return .webPage }
    if text.hasPrefix("{") { return .shardIndex }
    if head.count >= 2, head[0] == 0x80, (2...5).contains(head[1]) { return .pickle }
    return nil
  }

  private static func isLegacy(_ head: [UInt8]) -> Bool {
    // Protocols 0 and 1 spell the number out.
    if head.starts(with: Array("L119547037146038801333356L\n.".utf8)) { return true }
    guard head.count > 11, head[0] == 0x80, head[1] <= 5 else { return false }
    // Protocol 4 and later put a FRAME before the number.
    let start = head[2] == PickleOpcode.frame.rawValue ? 11 : 2
    return head.dropFirst(start).starts(with: PyTorchLegacyReader.magic)
  }

  private static let hdf5Signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

  /// HDF5 may start with bytes of the user's own: 512, 1024, 2048 and so on.
  private static func hasHDF5BehindUserBlock(_ file: MappedFile) throws -> Bool {
    var offset = 512
    while offset <= file.count - hdf5Signature.count {
      if try file.withBytes(offset: offset, count: hdf5Signature.count, { $0.elementsEqual(hdf5Signature) }) {
        return true
      }
      offset *= 2
    }
    return false
  }

  /// A 64-bit header length that fits the file, then JSON.
  private static func isSafetensors(_ head: [UInt8], size: Int) -> Bool {
    guard head.count >= 9, head[8] == 0x7B else { return false }
    let length = head[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return length <= UInt64(size - 8)
  }
}
