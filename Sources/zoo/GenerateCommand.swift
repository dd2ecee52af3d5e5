import ArgumentParser
import Foundation
import ZooCheckpoint
import ZooInference

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Go on with a text, or answer it.",
    discussion: """
      A language model such as gpt2 goes on with the text; an encoder-decoder such as t5_base answers it. Tokens are told \
      as they are made, but for beam searches and several texts. The likeliest token is taken each time unless --sample \
      or --beams says otherwise.

        zoo generate gpt2 "The quick brown fox" --max-tokens 64
        zoo generate t5_base "translate English to German: The house is wonderful." --beams 4
        zoo generate gpt2 "Once upon a time" --sample --temperature 0.8 --top-p 0.95 --seed 7

      Without a text, standard input is one.
      """)

  @Argument(help: "A checkpoint, any weight file of a known model, or the name of a model in the store.")
  var model: String
  @Argument(help: "Texts; none or - for standard input.")
  var texts: [String] = []
  @Option(help: "New tokens at most.")
  var maxTokens = 64
  @Option(help: "Sequences that are followed at once; 1 for the likeliest token each time.")
  var beams = 1
  @Option(help: "The power of its length that a beam's score is divided by.")
  var lengthPenalty = 1.0
  @Flag(help: "End a beam search as soon as as many sequences have ended as there are beams.")
  var earlyStopping = false
  @Flag(help: "Draw tokens by their probability.")
  var sample = false
  @Option(help: "Divides logits before a token is drawn: below 1 for likelier tokens.")
  var temperature = 1.0
  @Option(help: "Draw from so many likeliest tokens; 0 for all.")
  var topK = 50
  @Option(help: "Draw from the likeliest tokens that together have this probability.")
  var topP = 1.0
  @Option(help: "Above 1: tokens that were there become less likely.")
  var repetitionPenalty: Float = 1
  @Option(help: "No run of so many tokens comes twice; 0 for no such rule.")
  var noRepeatNgram = 0
  @Option(help: "For --sample: the same seed draws the same tokens.")
  var seed: UInt64 = 0
  @OptionGroup var kernels: TextKernelOptions
  @OptionGroup var display: DisplayOptions

  func validate() throws {
    if maxTokens < 1 { throw ValidationError("--max-tokens must be 1 or more.") }
    if !(1...64).contains(beams) { throw ValidationError("--beams must be from 1 to 64.") }
    if sample, beams > 1 { throw ValidationError("--sample and --beams exclude each other.") }
    if !(temperature > 0) { throw ValidationError("--temperature must be above 0.") }
    if topK < 0 { throw ValidationError("--top-k must be 0 or more.") }
    if !(topP > 0 && topP <= 1) { throw ValidationError("--top-p must be above 0 and at most 1.") }
    if !(repetitionPenalty > 0) { throw ValidationError("--repetition-penalty must be above 0.") }
    if noRepeatNgram < 0 { throw ValidationError("--no-repeat-ngram must be 0 or more.") }
  }

  private var options: GenerationOptions {
    var options = GenerationOptions()
    options.maximumTokens = maxTokens
    options.beams = beams
    options.lengthPenalty = lengthPenalty
    options.stopsEarly = earlyStopping
    options.samples = sample
    options.temperature = temperature
    options.topK = topK
    options.topP = topP
    options.repetitionPenalty = repetitionPenalty
    options.noRepeatSize = noRepeatNgram
    options.seed = seed
    return options
  }

  private struct Line: Encodable {
    let text: String
    let generated: String
  }

  func run() throws {
    let loaded = try TextModel.find(display.local(model), catalog: display.catalog())
    let generator = try TextGenerator(
      loaded, options: options, precision: kernels.precision, threads: kernels.threads)
    let asked = try TextArguments.whole(texts)
    guard asked.count == 1, beams == 1, !display.json else {
      for (text, generated) in zip(asked, try generator.generate(asked)) {
        print(display.json ? jsonLine(Line(text: text, generated: generated)) : generated.escapingControls())
      }
      return
    }
    _ = try generator.generate(asked) { _, text in
      FileHandle.standardOutput.write(Data(text.escapingControls().utf8))
    }
    print()
  }
}

extension String {
  /// A terminal is not told to do things; line breaks and tabs of a generated text stay.
  fileprivate func escapingControls() -> String {
    map { $0 == "\n" || $0 == "\t" ? String($0) : String($0).escapingControlCharacters() }.joined()
  }
}
