import Foundation
import ZooCheckpoint
import ZooFormats

/// A reader that is fed bytes made to break it.
///
/// An input is a finding where it ends the process, hangs, takes memory out of all proportion, or ends in an error that
/// has no words for people.
public enum FuzzTarget: String, CaseIterable, Sendable {
  case pyTorchZip = "pytorch-zip"
  case pyTorchLegacy = "pytorch-legacy"
  case torchScript = "torchscript"
  /// The pickle interpreter alone.
  case pickle
  /// The zip layer alone, with every member unpacked.
  case zip
  case safetensors
  case shardIndex = "shard-index"
  /// libhdf5 behind the worker's own entry, and the reader of its answer.
  case hdf5
  /// The reader of the worker's answer, where the answer itself lies.
  case hdf5Answer = "hdf5-answer"
  case keras
  case onnx
  case onnxAnswer = "onnx-answer"
  case npy
  case npz
  case gguf
  case tensorFlow = "tensorflow"
  /// A tokenizer's files, and a text through what they make.
  case tokenizer
  /// The `config.json` of a Hugging Face folder, and the network that it makes of weights.
  case config
  /// `zoo scan`, which looks into files of every format, the broken ones too.
  case scan

  /// How inputs of the target are put together, so that mutations reach past the first check.
  public var structure: InputStructure {
    switch self {
    case .pyTorchZip, .torchScript, .zip, .keras, .npz: .archive
    case .pyTorchLegacy, .pickle: .pickle
    case .safetensors: .safetensors
    case .shardIndex, .hdf5Answer, .onnxAnswer, .config: .json
    case .onnx: .protobuf
    case .hdf5, .npy, .gguf, .tensorFlow: .bytes
    case .scan: .mixed
    case .tokenizer: .tokenizer
    }
  }

  /// Whether libhdf5 runs, which takes its time.
  public var usesHDF5: Bool { self == .hdf5 || self == .keras || self == .scan }

  /// Whether a sound input says where the data is, in files that aren't there or another file than the target's.
  public var needsOtherFiles: Bool { [.shardIndex, .tensorFlow, .hdf5Answer, .onnxAnswer].contains(self) }

  /// How often a parser of the worker had to be ended, or ended itself, by a signal so far: SIGPROF is the limit of time.
  public static var parserDeaths: [Int32: Int] { InProcessWorker.deaths.withLock { $0 } }

  /// Feeds one input to the reader.
  ///
  /// - Returns: whether the reader took it.
  @discardableResult
  public func run(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard !bytes.isEmpty else { return false }
    do {
      try InProcessWorker.standIn(for: self, answer: bytes) { try read(bytes) }
      return true
    } catch let error as any ReportableError {
      precondition(!error.report.line.isEmpty, "an error without words")
      return false
    } catch {
      preconditionFailure("an error without a report: \(error)")
    }
  }

  private func read(_ bytes: UnsafeRawBufferPointer) throws {
    switch self {
    case .pickle: try ReaderLayers.readPickle(bytes)
    case .tokenizer: try TokenizerInput.run(bytes)
    case .config: try ConfigInput.run(bytes)
    case .zip: try ReaderLayers.readArchive(ScratchFile.thread.holding(bytes))
    case .scan:
      for finding in ContentScan(path: try ScratchFile.thread.holding(bytes)).findings {
        precondition(!finding.detail.isEmpty, "a finding without words")
      }
    case .hdf5Answer, .onnxAnswer:
      let image = Seeds.image(for: self)
      try image.withUnsafeBytes { touch(try WeightFile.open(path: try ScratchFile.thread.holding($0))) }
    default:
      let path = try ScratchFile.thread.holding(bytes)
      do { touch(try WeightFile.open(path: path)) } catch let error as PyTorchError {
        precondition(!error.report.line.isEmpty)
        touch(try WeightFile.open(path: path, salvage: true))
      }
    }
  }

  /// Reads every tensor; what can't be read says why.
  private func touch(_ file: WeightFile) {
    do {
      try file.checkRecords()
      for tensor in file.stateDict.tensors.values {
        _ = try tensor.withContiguousBytes { ($0.first ?? 0) &+ ($0.last ?? 0) }
      }
    } catch let error as any ReportableError {
      precondition(!error.report.line.isEmpty, "an error without words")
    } catch {
      preconditionFailure("an error without a report: \(error)")
    }
  }
}
