import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooGraph
import ZooText

@testable import ZooConvert

/// Networks of texts as Transformers and torchtext save them: files by `Tests/Fixtures/make_text_models.py`.
@Suite struct TextModelTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let file: String
    let model: String
    /// The head or the part, as the configuration has it.
    let head: String?
    var classes = 0
    var naming = "transformers"
    let aliases: [String: String]

    var testDescription: String { file }
  }

  private static let bertTies = [
    "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
  ]
  private static let robertaTies = [
    "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight", "lm_head.decoder.bias": "lm_head.bias",
  ]
  private static let t5Ties = [
    "encoder.embed_tokens.weight": "shared.weight", "decoder.embed_tokens.weight": "shared.weight",
  ]

  static let transformers: [Case] = [
    Case(file: "bert-pre-training", model: "tiny_bert", head: "pre-training", aliases: bertTies),
    Case(file: "bert-masked-lm", model: "tiny_bert", head: "masked-lm", aliases: bertTies),
    Case(file: "bert", model: "tiny_bert", head: nil, aliases: [:]),
    Case(file: "bert-sequences", model: "tiny_bert", head: "sequence-classification", classes: 3, aliases: [:]),
    Case(file: "bert-tokens", model: "tiny_bert", head: "token-classification", classes: 5, aliases: [:]),
    Case(
      file: "distilbert-masked-lm", model: "tiny_distilbert", head: "masked-lm",
      aliases: ["vocab_projector.weight": "distilbert.embeddings.word_embeddings.weight"]),
    Case(
      file: "distilbert-sequences", model: "tiny_distilbert", head: "sequence-classification", classes: 3, aliases: [:]),
    Case(file: "roberta-masked-lm", model: "tiny_roberta", head: "masked-lm", aliases: robertaTies),
    Case(file: "roberta-sequences", model: "tiny_roberta", head: "sequence-classification", classes: 3, aliases: [:]),
    Case(file: "xlm-roberta-masked-lm", model: "tiny_roberta", head: "masked-lm", aliases: robertaTies),
    Case(file: "gpt2", model: "tiny_gpt2", head: "causal-lm", aliases: ["lm_head.weight": "transformer.wte.weight"]),
    Case(file: "gpt2-sequences", model: "tiny_gpt2", head: "sequence-classification", classes: 3, aliases: [:]),
    Case(
      file: "t5", model: "tiny_t5", head: nil,
      aliases: t5Ties.merging(["lm_head.weight": "shared.weight"]) { first, _ in first }),
    Case(
      file: "t5-encoder", model: "tiny_t5", head: "encoder", aliases: ["encoder.embed_tokens.weight": "shared.weight"]),
    Case(file: "t5-gated", model: "tiny_t5_gated", head: nil, aliases: t5Ties),
  ]

  /// Files whose names aren't the canonical ones.
  static let renamed: [Case] = [
    Case(file: "bert-old", model: "tiny_bert", head: "pre-training", aliases: bertTies),
    Case(file: "gpt2-published", model: "tiny_gpt2", head: "causal-lm", aliases: [:]),
    Case(file: "torchtext-roberta", model: "tiny_roberta", head: nil, naming: "torchtext", aliases: [:]),
    Case(file: "torchtext-roberta-old", model: "tiny_roberta", head: nil, naming: "torchtext", aliases: [:]),
    Case(
      file: "torchtext-t5", model: "tiny_t5", head: nil, naming: "torchtext",
      aliases: ["encoder.embed_tokens.weight": "shared.weight", "lm_head.weight": "shared.weight"]),
    Case(
      file: "torchtext-t5-gated", model: "tiny_t5_gated", head: nil, naming: "torchtext",
      aliases: ["encoder.embed_tokens.weight": "shared.weight"]),
  ]

  private func convert(
    _ name: String, model: String? = nil, settings: ((inout String) -> Void)? = nil
  ) throws -> (Conversion.Outcome, Checkpoint, TemporaryDirectory) {
    let directory = try TemporaryDirectory()
    var conversion = Conversion(catalog: try Catalog(overlays: [Fixture.path("text_models")]))
    conversion.rereads = true
    conversion.model = model
    var folder = Fixture.path("text_models/\(name)")
    if let settings {
      let changed = directory.file(name)
      try FileManager.default.copyItem(atPath: folder, toPath: changed)
      var text = try String(contentsOfFile: changed + "/config.json", encoding: .utf8)
      settings(&text)
      try text.write(toFile: changed + "/config.json", atomically: false, encoding: .utf8)
      folder = changed
    }
    let file = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder).first { !$0.hasSuffix(".json") })
    let outcome = try conversion.run(folder + "/" + file, to: directory.file("y.st"))
    return (outcome, try Checkpoint.open(path: directory.file("y.st")), directory)
  }

  private func check(_ expected: Case, _ outcome: Conversion.Outcome, _ checkpoint: Checkpoint) throws {
    let found = try #require(outcome.identification)
    #expect(found.model.name == expected.model && found.naming == expected.naming && found.isExact)
    #expect(found.classes == expected.classes)
    let description = try NetworkDescription(json: #require(checkpoint.metadata.config))
    #expect(description.classes == expected.classes)
    let head = description.config["head"] ?? description.config["part"]
    #expect(head == expected.head.map { .string($0) })
    #expect(checkpoint.metadata.aliases == expected.aliases)
    for (alias, name) in expected.aliases {
      #expect(checkpoint.stateDict[alias]?.storage === checkpoint.stateDict[name]?.storage)
    }
    let names = Set(try description.graph().parameters.map(\.name))
    #expect(Set(checkpoint.stateDict.names) == names.union(expected.aliases.keys))
  }

  @Test(arguments: transformers)
  func whatTransformersSavesIsKnownWithItsHeadAndKeepsNamesTiesAndValues(_ expected: Case) throws {
    let (outcome, checkpoint, directory) = try convert(expected.file)
    defer { directory.remove() }
    try check(expected, outcome, checkpoint)
    #expect(try Difference(checkpoint.stateDict, outcome.source.stateDict).entries.isEmpty)
  }

  @Test(arguments: renamed)
  func otherNamesBecomeTransformersNamesWithTheSameValues(_ expected: Case) throws {
    let (outcome, checkpoint, directory) = try convert(expected.file)
    defer { directory.remove() }
    try check(expected, outcome, checkpoint)
    let name = expected.file.replacingOccurrences(of: "-roberta-old", with: "-roberta")
    let theirs = try Checkpoint.open(path: Fixture.path("text_models/expected/\(name).safetensors"))
    #expect(try Difference(checkpoint.stateDict, theirs.stateDict).entries.isEmpty)
  }

  @Test func tensorsThatTrainingUntiedAreRefused() throws {
    #expect(throws: CatalogError.untied(alias: "lm_head.weight", name: "transformer.wte.weight")) {
      try convert("gpt2-untied")
    }
  }

  @Test(arguments: [
    ("bert", "\"num_attention_heads\": 2", "\"num_attention_heads\": 4", "heads", "4"),
    ("bert", "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": 1e-05", "epsilon", "1e-05"),
    ("gpt2", "\"n_head\": 2", "\"n_head\": 8", "heads", "8"),
    ("t5-gated", "\"tie_word_embeddings\": false", "\"scale_decoder_outputs\": false", "isTied", "false"),
    (
      "t5", "\"relative_attention_max_distance\": 128", "\"relative_attention_max_distance\": 64", "maximumDistance",
      "64"
    ),
  ])
  func whatConfigJSONSaysOfTheNetworkIsTaken(
    _ name: String, _ written: String, _ instead: String, _ field: String, _ value: String
  ) throws {
    let (outcome, _, directory) = try convert(name) { text in
      #expect(text.contains(written))
      text = text.replacingOccurrences(of: written, with: instead)
    }
    defer { directory.remove() }
    let config = try #require(outcome.identification).config
    #expect(try config[field] == JSONDecoder().decode(JSONValue.self, from: Data(value.utf8)))
  }

  @Test(arguments: [
    (
      "bert", "\"hidden_act\": \"gelu\"", "\"hidden_act\": \"relu\"",
      "config.json says hidden_act relu, which is another network"
    ),
    (
      "roberta-masked-lm", "\"model_type\": \"roberta\"", "\"model_type\": \"esm\"",
      "config.json says model_type esm, which is another network"
    ),
    (
      "t5", "\"feed_forward_proj\": \"relu\"", "\"feed_forward_proj\": \"gated-silu\"",
      "config.json says feed_forward_proj gated-silu, which is another network"
    ),
    (
      "gpt2", "\"scale_attn_weights\": true", "\"scale_attn_weights\": false",
      "config.json says scale_attn_weights false, which is another network"
    ),
  ])
  func anotherNetworkOfTheSameNamesIsToldSo(
    _ name: String, _ written: String, _ instead: String, _ difference: String
  ) throws {
    let (outcome, _, directory) = try convert(name) { text in
      #expect(text.contains(written))
      text = text.replacingOccurrences(of: written, with: instead)
    }
    defer { directory.remove() }
    #expect(outcome.identification == nil)
    #expect(outcome.candidates.first?.differences == [difference])
  }

  @Test func theTokenizerTravelsWithTheCheckpoint() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    for (source, name) in [
      ("text_models/bert/pytorch_model.bin", "pytorch_model.bin"), ("text_models/bert/config.json", "config.json"),
      ("text/bert_uncased/tokenizer.json", "tokenizer.json"),
    ] {
      try FileManager.default.copyItem(atPath: Fixture.path(source), toPath: folder.file(name))
    }
    var conversion = Conversion(catalog: try Catalog(overlays: [Fixture.path("text_models")]))
    conversion.model = "tiny_bert"
    let output = folder.file("model.safetensors")
    _ = try conversion.run(folder.path, to: output)
    let carried = try #require(try Checkpoint.open(path: output).metadata.tokenizer)
    let files = try TokenizerFiles(text: carried, source: output)
    let own = try TokenizerFiles(folder: folder.path)
    #expect(own == files)
  }
}
