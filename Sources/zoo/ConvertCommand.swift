import ArgumentParser
import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooConvert
import ZooFormats

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Turn a weight file into a canonical checkpoint.",
    discussion: """
      Reads PyTorch (zip, legacy, TorchScript), safetensors, Keras, ONNX, NumPy, GGUF and TensorFlow checkpoints, single \
      or sharded, whatever their extension, and folders as Hugging Face lays them out. Weights of a known model get its \
      own names, labels and preprocessing; any others keep their names, and all that keeps them from being the nearest \
      model's is listed. Nothing in the file is run.
      """)

  enum Head: String, ExpressibleByArgument, CaseIterable {
    case keep, drop
  }

  @Argument(help: "The weight file: its path or its https address.", completion: .file())
  var file: String
  @Option(name: .shortAndLong, help: "The checkpoint to write; default: the file's stem with .safetensors beside it.")
  var output: String?
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

  func run() throws {
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

extension KeptSides: ExpressibleByArgument {}
