import ZooCheckpoint

extension FormatError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .notRead(let file, let format):
      ErrorReport(
        .badData, file: file, problem: "is a \(format.displayName), which this version doesn't read",
        advice: Self.advice(format))
    case .unrecognised(let file, let firstBytes):
      ErrorReport(
        .badData, file: file,
        problem: "is no weight file that zoo knows (it starts with \(Self.spell(firstBytes)))",
        advice: "expected PyTorch, safetensors, Keras HDF5, ONNX, NumPy or GGUF")
    case .unknownArchive(let file, let members):
      ErrorReport(
        .badData, file: file,
        problem: members.isEmpty
          ? "is an empty zip archive"
          : "is a zip archive without weights (it holds \(members.joined(separator: ", ")))",
        advice: "unpack it and name the weight file inside")
    case .keras(let file, let problem, let expected):
      ErrorReport(.badData, file: file, problem: "\(problem), expected \(expected)", advice: "save it again with Keras")
    }
  }

  private static func advice(_ format: WeightFormat) -> String {
    switch format {
    case .gitLFSPointer: "fetch the file itself with git lfs pull"
    case .webPage: "the download went wrong; download it again"
    case .tensorFlowSavedModel, .tensorFlowGraph:
      "save its weights with TensorFlow: tf_keras.models.load_model(folder).save_weights('x.h5')"
    case .sevenZip, .gzip: "unpack it first"
    default: "convert it to PyTorch or safetensors with the program that made it"
    }
  }

  private static func spell(_ bytes: [UInt8]) -> String {
    if !bytes.isEmpty, bytes.allSatisfy({ (0x20...0x7E).contains($0) }) {
      return "'\(String(decoding: bytes, as: UTF8.self))'"
    }
    return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}
