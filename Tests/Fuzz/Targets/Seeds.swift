import Foundation
import ZooFormats

/// Inputs to start from: the fixtures that the targets' formats have, so that every new fixture is one at once.
public enum Seeds {
  private static let largest = 1 << 16

  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Fixtures").standardizedFileURL

  /// The seeds of a target, by the names of their fixtures.
  public static func inputs(for target: FuzzTarget) -> [(name: String, bytes: [UInt8])] {
    switch target {
    case .pickle: files(.pyTorchZip).flatMap { pickles($0.bytes, name: $0.name) } + files(.pyTorchLegacy)
    case .zip: files(.pyTorchZip) + files(.torchScript) + files(.keras) + files(.numPyArchive)
    case .pyTorchZip: files(.pyTorchZip)
    case .pyTorchLegacy: files(.pyTorchLegacy)
    case .torchScript: files(.torchScript)
    case .safetensors: files(.safetensors)
    case .shardIndex: files(.shardIndex)
    case .hdf5: files(.hdf5)
    case .keras: files(.keras)
    case .onnx: files(.onnx)
    case .npy: files(.numPyArray)
    case .npz: files(.numPyArchive)
    case .gguf: files(.gguf)
    case .tensorFlow: files(.tensorFlowCheckpoint)
    case .scan: byFormat.values.flatMap(smallest).sorted { $0.name < $1.name }
    case .config: configs
    case .tokenizer: contents(of: fixtures.appending(path: "text/small"))
    case .hdf5Answer: files(.hdf5).map { ($0.name, answer(.hdf5, $0.bytes)) }
    case .onnxAnswer: files(.onnx).map { ($0.name, answer(.onnx, $0.bytes)) }
    }
  }

  private static var configs: [(name: String, bytes: [UInt8])] {
    names(in: fixtures, recursively: true).filter { $0.hasSuffix("/config.json") && !$0.hasPrefix("fuzz/") }
      .compactMap { path in
        (try? Data(contentsOf: fixtures.appending(path: path)))
          .map { (path.replacingOccurrences(of: "/", with: "-"), [UInt8]($0)) }
      }
  }

  /// Inputs that once were findings.
  public static func regressions(of target: FuzzTarget) -> [(name: String, bytes: [UInt8])] {
    contents(of: fixtures.appending(path: "fuzz/\(target.rawValue)"))
  }

  private static func contents(of folder: URL) -> [(name: String, bytes: [UInt8])] {
    names(in: folder).compactMap { name in
      (try? Data(contentsOf: folder.appending(path: name))).map { (name, [UInt8]($0)) }
    }
  }

  /// The file that the answers of a lying worker are about.
  static func image(for target: FuzzTarget) -> [UInt8] {
    target == .hdf5Answer ? hdf5Image : onnxImage
  }

  private static let hdf5Image = files(.hdf5).first?.bytes ?? [0x89] + Array("HDF\r\n\u{1A}\n".utf8)
  private static let onnxImage = files(.onnx).first?.bytes ?? [0x08, 0x08, 0x12, 0x00]

  private static func answer(_ task: WorkerProtocol.Task, _ bytes: [UInt8]) -> [UInt8] {
    bytes.withUnsafeBytes { [UInt8](InProcessWorker.parse(task, $0).reply) }
  }

  private static func pickles(_ archive: [UInt8], name: String) -> [(name: String, bytes: [UInt8])] {
    (ArchiveParts(archive)?.members ?? []).filter { $0.name.hasSuffix(".pkl") && $0.method == 0 }
      .map { (name + "-" + ($0.name as NSString).lastPathComponent, $0.data) }
  }

  private static func smallest(_ files: [(name: String, bytes: [UInt8])]) -> [(name: String, bytes: [UInt8])] {
    Array(files.sorted { $0.bytes.count < $1.bytes.count }.prefix(4))
  }

  private static func files(_ format: WeightFormat) -> [(name: String, bytes: [UInt8])] { byFormat[format] ?? [] }

  private static let byFormat: [WeightFormat: [(name: String, bytes: [UInt8])]] = {
    var found: [WeightFormat: [(name: String, bytes: [UInt8])]] = [:]
    for path in names(in: fixtures, recursively: true) where !path.hasPrefix("fuzz/") {
      let url = fixtures.appending(path: path)
      guard let size = try? url.resourceValues(forKeys: [.fileSizeKey]).fileSize, size <= largest,
        let format = ReaderLayers.format(of: url.path), let bytes = try? Data(contentsOf: url)
      else { continue }
      found[format, default: []].append((path.replacingOccurrences(of: "/", with: "-"), [UInt8](bytes)))
    }
    return found
  }()

  private static func names(in folder: URL, recursively: Bool = false) -> [String] {
    let names =
      recursively
      ? FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
      : try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (names ?? []).sorted()
  }
}
