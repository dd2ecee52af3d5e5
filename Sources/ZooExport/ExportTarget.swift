/// A format to export to, named as `--to` takes it.
public enum ExportTarget: String, Sendable, CaseIterable {
  /// `torch.load(weights_only=True)` gives the state dict.
  case torch
  /// `torch.jit.load(f).state_dict()` gives it.
  case torchScriptState = "torchscript-state"
  case keras
  case onnx
  case safetensors
  case npz
  case gguf

  /// The extension that the framework expects, with its dot.
  public var fileExtension: String {
    switch self {
    case .torch: ".pth"
    case .torchScriptState: ".pt"
    case .keras: ".weights.h5"
    case .onnx: ".onnx"
    case .safetensors: ".safetensors"
    case .npz: ".npz"
    case .gguf: ".gguf"
    }
  }

  /// Who writes it; nil for a target that this version doesn't write.
  public var exporter: (any Exporter.Type)? { Self.exporters.first { $0.target == self } }

  /// The targets that can be written.
  public static var available: [ExportTarget] { exporters.map { $0.target } }

  /// All exporters; a new one takes its line here.
  static let exporters: [any Exporter.Type] = [
    TorchExporter.self, TorchScriptExporter.self, ONNXExporter.self, SafetensorsExporter.self, NumPyExporter.self,
    GGUFExporter.self, KerasExporter.self,
  ]
}
