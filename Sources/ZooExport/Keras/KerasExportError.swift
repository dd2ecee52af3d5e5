import ZooCheckpoint

/// Why a network can't be written for Keras.
public enum KerasExportError: Error, Sendable, Equatable {
  /// Keras Applications has no such network.
  case noNaming(file: String, network: String?, known: [String])
  case noPlace(file: String, tensor: String)
  case foldedBatchNormalization(file: String)
  case dtype(file: String, tensor: String, dtype: DType)
  /// libhdf5 couldn't write.
  case library(file: String, path: String)
}

extension KerasExportError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .noNaming(let file, let network, let known):
      ErrorReport(
        .badData, file: file,
        problem: network.map { "is \($0), which Keras Applications doesn't have" }
          ?? "is no network of the catalogue, so that its layers in Keras are unknown",
        advice: "--to keras writes \(known.joined(separator: ", ")); --to npz takes any tensors")
    case .noPlace(let file, let tensor):
      ErrorReport(
        .badData, file: file, place: "tensor \(tensor)", problem: "has no place in Keras's network",
        advice: "--to npz takes any tensors")
    case .foldedBatchNormalization(let file):
      ErrorReport(
        .badData, file: file, problem: "has its BatchNorm folded into the convolutions, which Keras's network hasn't",
        advice: "export the weights from before they were folded")
    case .dtype(let file, let tensor, let dtype):
      ErrorReport(
        .badData, file: file, place: "tensor \(tensor)", problem: "is \(dtype.name), which HDF5 has no type for",
        advice: "--dtype float32 writes what Keras reads")
    case .library(let file, let path):
      ErrorReport(.inputOutput, file: file, place: path, problem: "can't be written by libhdf5; is the disk full?")
    }
  }
}
