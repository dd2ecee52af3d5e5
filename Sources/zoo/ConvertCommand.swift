import ArgumentParser
import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooConvert
import ZooFormats
import ZooInference
import ZooTraining

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Turn a weight file into a canonical checkpoint.",
    discussion: """
      Reads PyTorch (zip, legacy, TorchScript), safetensors, Keras, ONNX, NumPy, GGUF and TensorFlow checkpoints, single \
      or sharded, whatever their extension, and folders as Hugging Face lays them out. Weights of a known model get its \
      own names, labels and preprocessing; any others keep their names, and all that keeps them from being the nearest \
      model's is listed. Nothing in the file is run.

      With --adapter the file is a model, by path or name, and the changes of a LoRA adapter (a folder that zoo finetune \
      --adapter or Hugging Face's PEFT wrote) are added to its weights.
      """)

  enum Head: String, ExpressibleByArgument, CaseIterable {
    case keep, drop
  }

  @Argument(help: "The weight file: its path or its https address.", completion: .file())
  var file: String
  @Option(name: .shortAndLong, help: "The checkpoint to write; default: the file's stem with .safetensors beside it.")
  var output: String?
  @Option(help: "A LoRA adapter's folder, whose changes are added to the model's weights.", completion: .directory)
  var adapter: String?
  @Option(help: "What floating-point tensors become: float32, float16, bfloat16, …; default: as they are.")
  var dtype: String?
  @Option(help: "The model that the weights must be; else nothing is written.")
  var model: String?
  @Option(help: "Whether the last layer is kept, whatever its number of classes, or dropped: keep, drop.")
  var head = Head.keep
  @Option(help: "What is carried along beside the weights: none, optimizer, all.")
  var keep = KeptSides.none
  @Flag(help: "Read the output again and hold every tensor against the source.")
  var verify = false
  @Flag(help: "Replace the output if it exists.")
  var force = false
  @Flag(help: "Take the tensors out of a file that would run code when loaded in Python.")
  var salvage = false
  @OptionGroup var display: DisplayOptions

  func validate() throws {
    guard adapter != nil else { return }
    if output == nil { throw ValidationError("--adapter needs -o, the checkpoint to write.") }
    if dtype != nil || model != nil || head == .drop || keep != .none || verify || salvage {
      throw ValidationError("--adapter goes with -o and --force alone: convert the result, or the model before.")
    }
  }

  func run() throws {
    if let adapter, let output { return try merge(adapter, into: output) }
    let local = try display.local(file)
    // A large file takes longest to hash, so that it begins before all else.
    let digest = try? SourceDigest(path: local)
    var conversion = Conversion(catalog: try display.catalog())
    conversion.dtype = try floatingPointType(dtype)
    conversion.overwrite = force
    conversion.salvage = salvage
    conversion.model = model
    conversion.dropsHead = head == .drop
    conversion.keeps = keep
    conversion.rereads = verify
    let clock = ContinuousClock()
    var result: Conversion.Outcome?
    let standard = Conversion.defaultOutput(for: display.nameHere(file, at: local))
    let duration = try clock.measure {
      do {
        result = try conversion.run(local, to: output ?? standard, digest: digest)
      } catch ConversionError.doesNotFit(let file, let fit) {
        if !display.quiet { Terminal.note(FitText(fit).text) }
        throw ConversionError.doesNotFit(file: file, fit: fit)
      }
    }
    guard let result else { return }
    if display.json { return print(jsonLine(ConversionReport(result, duration: duration))) }
    if !display.quiet { print(ConversionReport(result, duration: duration).text) }
  }
}

extension ConvertCommand {
  private struct Merged: Encodable {
    let output: String
    let model: String
    let digest: String
    let bytes: Int
    let changed: Int
    let replaced: Int
  }

  private func merge(_ adapter: String, into output: String) throws {
    let base = try OpenedModel.find(display.local(file), catalog: display.catalog())
    let outcome = try AdapterMerge(adapter: adapter, onto: base).write(to: output, overwrite: force)
    if display.json {
      return print(
        jsonLine(
          Merged(
            output: output, model: outcome.model, digest: outcome.checkpoint.digest, bytes: outcome.checkpoint.bytes,
            changed: outcome.changed, replaced: outcome.replaced)))
    }
    guard !display.quiet else { return }
    print("model    \(outcome.model)".escapingControlCharacters())
    print("adapter  \(outcome.changed) weights changed, \(outcome.replaced) tensors replaced")
    print("wrote    \(output), \(Quantity.bytes(outcome.checkpoint.bytes))".escapingControlCharacters())
  }
}

extension KeptSides: ExpressibleByArgument {}
