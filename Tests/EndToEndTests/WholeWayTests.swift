import Foundation
import TestSupport
import Testing

/// What the README shows, on what the program carries itself.
@Suite struct WholeWayTests {
  private struct Summary: Decodable {
    let accuracy: Double
    let digest: String?
  }

  private func summary(_ outcome: Program.Outcome) throws -> Summary {
    try JSONDecoder().decode(Summary.self, from: Data(outcome.output.utf8))
  }

  @Test func theDemoTrainsEvaluatesAndPredicts() throws {
    try Workplace.with { place throws in
      let run = try place.zoo("finetune", "--head", "3", "--epochs", "4", "-o", "run")
      #expect(run.code == 0, "\(run.errors)")
      #expect(run.output.hasPrefix("The built-in demo."))
      #expect(run.output.contains("--data photos/"))
      for file in ["model.safetensors", "log.jsonl", "report.html"] { #expect(place.exists("run/\(file)")) }
      #expect(!place.exists("run/state.safetensors"))
      let evaluated = try summary(
        try place.zoo("evaluate", "run/model.safetensors", "--data", "run/pictures", "--json"))
      #expect(evaluated.accuracy > 0.7)
      let picture = "run/pictures/val/heart/0000.png"
      let prediction = try place.zoo("predict", "run/model.safetensors", picture, "run/log.jsonl")
      #expect(prediction.code == 65)
      #expect(prediction.output.contains("heart"))
      #expect(prediction.errors.contains("run/log.jsonl"))
      #expect(try place.zoo("verify", "run/model.safetensors").code == 0)
      #expect(try place.zoo("finetune", "--head", "3", "-o", "run").code == 73)
    }
  }

  @Test func fromScratchANameIsEnough() throws {
    try Workplace.with { place in
      try TinyCatalogue.write(to: place.directory.file("catalog")) { "https://example.org/\($0)" }
      #expect(try place.zoo("finetune", "--epochs", "1", "-o", "demo", "--quiet").code == 0)
      let flags = ["finetune", "--model", "tiny", "--data", "demo/pictures", "--catalog", "catalog", "-o", "run"]
      let pretrained = try Program.run(flags, in: place.directory.path)
      #expect(pretrained.code == 66 && pretrained.errors.contains("zoo pull tiny"), "\(pretrained.errors)")
      let scratch = try Program.run(flags + ["--recipe", "scratch", "--epochs", "2"], in: place.directory.path)
      #expect(scratch.code == 0, "\(scratch.errors)")
      #expect(scratch.output.contains("conv1.weight, bn1.weight"), "\(scratch.output)")
      #expect(try place.zoo("verify", "run/model.safetensors", "--catalog", "catalog").code == 0)
      let about = try place.zoo("info", "run/model.safetensors")
      #expect(about.code == 64 && about.errors.contains("zoo inspect"), "\(about.errors)")
    }
  }

  @Test func aTextModelLearnsClassesAndTellsThem() throws {
    try Workplace.with { place throws in
      let model = try place.directory.textModel("bert", tokenizer: TinyTokenizer.wordPieces)
      func finetune(_ data: String, _ more: String...) throws -> Program.Outcome {
        try Program.run(["finetune", "--model", model, "--data", data] + more, in: place.directory.path)
      }
      let lines = (0..<24).map { $0 % 2 == 0 ? "hello word\($0 + 7),greeting" : "word\($0 + 7) world,\"no, other\"" }
      try place.write(Data(("text,label\n" + lines.joined(separator: "\n")).utf8), to: "words.csv")
      let run = try finetune(
        "words.csv", "--head", "2", "--recipe", "full", "--epochs", "12", "--batch-size", "4", "--learning-rate",
        "0.02",
        "--tensorboard", "-o", "run")
      #expect(run.code == 0, "\(run.errors)")
      #expect(place.files(in: "run").contains { $0.contains("tfevents") })
      #expect(try finetune("words.csv", "--find-rate", "-o", "rates").code == 64)
      #expect(
        run.output.contains("2 classes: greeting, no, other") && run.output.contains("NEWLY INITIALISED: classifier"))
      let told = try place.zoo("predict", "run/model.safetensors", "hello word60", "--top", "1")
      #expect(told.code == 0 && told.output.contains("greeting"), "\(told.output) \(told.errors)")
      try place.write(Data("text,label\n\"hello,greeting\n".utf8), to: "open.csv")
      let broken = try finetune("open.csv", "-o", "broken")
      #expect(broken.code == 65 && broken.errors.contains("open.csv: line 2: opens a quote"), "\(broken.errors)")
      #expect(!place.exists("broken"))
      #expect(try place.zoo("finetune", "--data", "words.csv").code == 64)
    }
  }

  @Test func classesOfUnequalSizeAreToldAndRunsAreLaidSideBySide() throws {
    try Workplace.with { place throws in
      _ = try place.zoo("finetune", "--head", "3", "--epochs", "1", "-o", "first")
      for name in place.files(in: "first/pictures/train/heart").dropFirst(3) {
        try FileManager.default.removeItem(atPath: place.directory.file("first/pictures/train/heart/" + name))
      }
      for recipe in ["head", "mlp"] {
        let run = try place.zoo(
          "finetune", "--model", "first/model.safetensors", "--data", "first/pictures", "--recipe", recipe, "--epochs",
          "1", "-o", recipe)
        #expect(run.code == 0)
        #expect(
          run.errors.contains("differ in size, from 3 training pictures of heart to 12 of arrow"), "\(run.errors)")
      }
      let compared = try place.zoo("compare", "head", "mlp")
      #expect(compared.output.contains("kind"), "\(compared.output) \(compared.errors)")
      #expect(try place.zoo("compare", "head", "--json").output.contains("\"total\":180"))
    }
  }

  @Test func controlCSavesAndResumeEndsInTheSameWeights() throws {
    try Workplace.with { place throws in
      _ = try place.zoo("finetune", "--head", "3", "--epochs", "1", "-o", "first")
      let flags = [
        "finetune", "--model", "first/model.safetensors", "--data", "first/pictures", "--unfreeze", "2", "--epochs",
        "40", "--threads", "1", "--json", "-o",
      ]
      let whole = try Program.run(flags + ["whole"], in: place.directory.path)
      #expect(whole.code == 0, "\(whole.errors)")
      let parts = try Program.run(flags + ["parts"], in: place.directory.path) {
        ((try? String(contentsOfFile: place.directory.file("parts/log.jsonl"), encoding: .utf8)) ?? "").count > 300
      }
      #expect(parts.code == 130)
      #expect(parts.complaints.count == 1)
      #expect(parts.errors.contains("--resume"))
      #expect(place.exists("parts/state.safetensors") && !place.exists("parts/model.safetensors"))
      let resumed = try Program.run(flags + ["parts", "--resume"], in: place.directory.path)
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(try summary(resumed).digest == summary(whole).digest)
    }
  }

  /// A few of the kills that `Tests/EndToEnd/killed` does by the hundred.
  @Test func aKilledRunResumesToTheSameBits() throws {
    try Workplace.with { place throws in
      _ = try place.zoo("finetune", "--head", "3", "--epochs", "1", "-o", "first")
      let flags = [
        "finetune", "--model", "first/model.safetensors", "--data", "first/pictures", "--recipe", "last-n", "--epochs",
        "12", "--average", "0.9", "--threads", "1", "--save-every", "0", "--json", "-o",
      ]
      let whole = try Program.run(flags + ["whole"], in: place.directory.path)
      #expect(whole.code == 0, "\(whole.errors)")
      for lines in [0, 20, 33] {
        let name = "killed\(lines)"
        let killed = try Program.run(flags + [name], in: place.directory.path, signal: SIGKILL) {
          let log = (try? String(contentsOfFile: place.directory.file(name + "/log.jsonl"), encoding: .utf8)) ?? ""
          return place.exists(name + "/state.safetensors") && log.count { $0 == "\n" } >= lines
        }
        #expect(killed.code == SIGKILL && !place.exists(name + "/model.safetensors"))
        let resumed = try Program.run(flags + [name, "--resume"], in: place.directory.path)
        #expect(resumed.code == 0, "\(resumed.errors)")
        #expect(try summary(resumed).digest == summary(whole).digest)
        #expect(try Program.run(flags + [name, "--resume"], in: place.directory.path).code == 66)
      }
    }
  }

  @Test func aFullDiskLosesNothing() throws {
    try Workplace.with { place throws in
      _ = try place.zoo("finetune", "--head", "3", "--epochs", "1", "-o", "first")
      let flags = [
        "finetune", "--model", "first/model.safetensors", "--data", "first/pictures", "--recipe", "last-n", "--epochs",
        "3", "--threads", "1", "--save-every", "0", "--json", "-o",
      ]
      let whole = try Program.run(flags + ["whole"], in: place.directory.path)
      // Room for the state before the first step, not for one with weights.
      let full = try Program.run(flags + ["full"], in: place.directory.path, shell: "ulimit -f 32")
      #expect(full.code == 74 && full.complaints.count == 1, "\(full.code) \(full.errors)")
      #expect(full.errors.contains("full/state.safetensors") || full.errors.contains("large"), "\(full.errors)")
      #expect(place.exists("full/state.safetensors") && !place.exists("full/model.safetensors"))
      let resumed = try Program.run(flags + ["full", "--resume"], in: place.directory.path)
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(try summary(resumed).digest == summary(whole).digest)
    }
  }

  @Test func convertedFilesAreTheSameBytesEachTime() throws {
    try Workplace.with { place throws in
      let source = Fixture.path("pytorch/dtypes-p2.pth")
      #expect(try place.zoo("convert", source, "-o", "a.safetensors").code == 0)
      #expect(try place.zoo("convert", source, "-o", "b.safetensors").code == 0)
      #expect(
        FileManager.default.contentsEqual(
          atPath: place.directory.file("a.safetensors"), andPath: place.directory.file("b.safetensors")))
      #expect(try place.zoo("diff", "a.safetensors", source).code == 0)
      let other = Fixture.path("engine/basic.safetensors")
      #expect(try place.zoo("diff", "a.safetensors", other).code == 1)
    }
  }

  @Test func theCatalogueIsForPeopleAndPrograms() throws {
    try Workplace.with { place throws in
      let list = try place.zoo("list", "resnet*", "--task", "image-classification", "--json")
      let models = try #require(try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]])
      #expect(models.compactMap { $0["name"] as? String }.sorted().first == "resnet101")
      #expect(models.count == 5)
      #expect(try place.zoo("list", "nothing*").code != 70)
      #expect(try place.zoo("info", "resnet50").output.contains("25557032"))
    }
  }

  @Test func helpNamesEveryVerbAndExitCode() throws {
    try Workplace.with { place throws in
      let help = try place.zoo("--help").output
      for verb in [
        "list", "info", "pull", "rm", "convert", "identify", "inspect", "verify", "diff", "export", "predict", "embed",
        "finetune", "evaluate",
      ] {
        #expect(help.contains("\n  \(verb) "))
        #expect(try place.zoo(verb, "--help").code == 0)
      }
      for code in ["64", "65", "66", "69", "73", "74", "130"] { #expect(help.contains(code)) }
    }
  }
}
