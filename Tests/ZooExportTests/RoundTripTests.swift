import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooConvert
import ZooFormats

@testable import ZooExport

/// `convert(export(x))` is `x`, byte for byte.
@Suite struct RoundTripTests {
  private let catalog = try? Catalog(overlays: [])
  /// The targets that take tensors of no known network.
  static let targets = ExportTarget.available.filter { ![.onnx, .keras].contains($0) }

  /// A checkpoint with what is hard to carry: ties, every dtype, scalars, empty tensors, versions, labels, odd names.
  static func checkpoint(at path: String, dtypes: [DType] = DType.allCases) throws {
    var stateDict = StateDict()
    for (index, dtype) in dtypes.enumerated() {
      let bytes = (0..<(6 * dtype.size)).map { UInt8(truncatingIfNeeded: dtype == .bool ? $0 & 1 : $0 * 7 + index) }
      stateDict["layer1.\(index).\(dtype.name)"] = try Tensor(
        dtype: dtype, shape: [2, 3], storage: MemoryStorage(bytes))
    }
    let tied = try Tensor(dtype: .float32, shape: [2], storage: MemoryStorage(copying: [Float(1), -.infinity]))
    stateDict["encoder.weight"] = tied
    stateDict["bn.num_batches_tracked"] = try Tensor(
      dtype: .int64, shape: [], storage: MemoryStorage(copying: [Int64(7)]))
    stateDict["empty"] = try Tensor(dtype: .float32, shape: [0, 4], storage: MemoryStorage([]))
    stateDict["décoder.\u{1F98A}"] = tied
    stateDict["layer1.late"] = try Tensor(dtype: .float32, shape: [1], storage: MemoryStorage(copying: [Float(0.5)]))
    stateDict["decoder.weight"] = tied
    stateDict.versions = ["": 1, "bn": 2]
    var metadata = CheckpointMetadata()
    metadata.labels = ["cat", "dög", "a \"quoted\" \\ label"]
    metadata.input = #"{"size":[8,8]}"#
    metadata.source = #"{"file":"x.pth"}"#
    metadata.training = #"{"epochs":3}"#
    metadata.others = ["author": "somebody"]
    try CheckpointWriter.write(stateDict, metadata: metadata, to: path)
  }

  @Test func shortenedNamesAvoidThoseThatAreTaken() throws {
    let catalog = try #require(catalog)
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    var stateDict = StateDict()
    for name in [
      "tensor.0", "tensor.0_", "tensor.1", String(repeating: "a", count: 64), String(repeating: "b", count: 64),
    ] {
      stateDict[name] = try Tensor(
        dtype: .float32, shape: [1], storage: MemoryStorage(copying: [Float(stateDict.count)]))
    }
    let original = directory.file("x.safetensors")
    try CheckpointWriter.write(stateDict, metadata: CheckpointMetadata(), to: original)
    _ = try Export(to: .gguf, catalog: catalog).run(original, to: directory.file("x.gguf"))
    let found = try WeightFile.open(path: directory.file("x.gguf")).stateDict
    for (name, tensor) in stateDict.tensors { #expect(try found[name]?.floats() == tensor.floats(), "\(name)") }
    #expect(found.count == 5)
  }

  @Test(arguments: targets)
  func exportedFileConvertsBackToTheSameCheckpoint(_ target: ExportTarget) throws {
    let catalog = try #require(catalog)
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let original = directory.file("x.safetensors")
    let dtypes = DType.allCases.filter {
      target != .torchScriptState || ![.uint16, .uint32, .uint64].contains($0) && $0.size > 1
        || [.int8, .uint8, .bool].contains($0)
    }
    try Self.checkpoint(at: original, dtypes: dtypes)
    let canonical = directory.file("canonical.safetensors")
    _ = try Conversion(catalog: catalog).run(original, to: canonical)
    let export = Export(to: target, catalog: catalog)
    let exported = directory.file("exported" + target.fileExtension)
    let outcome = try export.run(canonical, to: exported)
    #expect(outcome.written.tensors == dtypes.count + 6)
    _ = try export.run(canonical, to: directory.file("again" + target.fileExtension))
    #expect(
      FileManager.default.contentsEqual(
        atPath: exported, andPath: directory.file("again" + target.fileExtension)), "the same bytes each time")
    _ = try Conversion(catalog: catalog).run(exported, to: directory.file("back.safetensors"))
    let (expected, found) = (
      try Checkpoint.open(path: canonical), try Checkpoint.open(path: directory.file("back.safetensors"))
    )
    #expect(found.metadata == expected.metadata)
    #expect(found.stateDict.names == expected.stateDict.names)
    #expect(
      FileManager.default.contentsEqual(atPath: canonical, andPath: directory.file("back.safetensors")))
  }

  @Test func convertingACheckpointAgainKeepsItsTies() throws {
    let catalog = try #require(catalog)
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try Self.checkpoint(at: directory.file("a.safetensors"))
    _ = try Conversion(catalog: catalog).run(directory.file("a.safetensors"), to: directory.file("b.safetensors"))
    let aliases = try Checkpoint.open(path: directory.file("b.safetensors")).metadata.aliases
    #expect(aliases == ["décoder.\u{1F98A}": "encoder.weight", "decoder.weight": "encoder.weight"])
  }

  @Test(arguments: targets)
  func existingFileIsKeptAndNothingIsLeftBehind(_ target: ExportTarget) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let source = directory.file("x.safetensors")
    try Self.checkpoint(at: source, dtypes: [.float32])
    let output = directory.file("out")
    try Data("mine".utf8).write(to: URL(filePath: output))
    let export = Export(to: target, catalog: try #require(catalog))
    #expect(throws: FileError.exists(file: output)) { _ = try export.run(source, to: output) }
    #expect(throws: ExportError.outputIsInput(file: source)) { _ = try export.run(source, to: source) }
    #expect(throws: FileError.self) { _ = try export.run(source, to: directory.file("none/out")) }
    #expect(try String(contentsOfFile: output, encoding: .utf8) == "mine")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == ["out", "x.safetensors"])
  }
}
