/// A file format that weights come in.
public enum WeightFormat: String, Sendable, CaseIterable {
  case pyTorchZip
  case pyTorchLegacy
  case safetensors
  case shardIndex
  case torchScript
  case pyTorchTar
  case pyTorchPreview
  case keras
  case hdf5
  case onnx
  case gguf
  case numPyArchive
  case numPyArray
  case tensorFlowCheckpoint
  case tensorFlowSavedModel
  case tensorFlowGraph
  case pickle
  case sevenZip
  case gzip
  case gitLFSPointer
  case webPage

  /// As people call it.
  public var displayName: String {
    switch self {
    case .pyTorchZip: "PyTorch zip"
    case .pyTorchLegacy: "PyTorch legacy"
    case .safetensors: "safetensors"
    case .shardIndex: "sharded checkpoint"
    case .torchScript: "TorchScript archive"
    case .pyTorchTar: "PyTorch tar (before 0.1.10)"
    case .pyTorchPreview: "PyTorch preview archive"
    case .keras: "Keras 3 archive"
    case .hdf5: "HDF5"
    case .onnx: "ONNX"
    case .gguf: "GGUF"
    case .numPyArchive: "NumPy archive (.npz)"
    case .numPyArray: "NumPy array (.npy)"
    case .tensorFlowCheckpoint: "TensorFlow checkpoint"
    case .tensorFlowSavedModel: "TensorFlow SavedModel"
    case .tensorFlowGraph: "TensorFlow graph"
    case .pickle: "plain pickle"
    case .sevenZip: "7z archive"
    case .gzip: "gzip archive"
    case .gitLFSPointer: "Git LFS pointer"
    case .webPage: "web page"
    }
  }
}
