import ZooTraining

/// `zoo finetune --head 3` without data.
struct DemoRun {
  let head: Int?
  let folder: String
  let seed: UInt64
  let epochs: Int?
  let threads: Int?
  let resume: Bool
  let force: Bool
  let command: String
  let display: DisplayOptions

  func run(view: FineTuningView, stop: StopRequest) throws {
    let kinds = ShapeKind.unseen
    if let head, head != kinds.count {
      throw UsageError(
        problem: "--data is missing; the built-in demo, which runs without it, has \(kinds.count) classes, not \(head)",
        advice: "name a folder with \(head) folders of pictures: --data photos/ --model resnet50.safetensors")
    }
    guard let bytes = try display.catalog().contents(of: DemoNetwork.file) else {
      throw UsageError(problem: "this build of zoo carries no demo network", advice: "use --model and --data")
    }
    let isSilent = display.quiet || display.json
    if !isSilent {
      print("The built-in demo. For pictures of your own: zoo finetune --model resnet50.safetensors --data photos/")
      print(
        "A tiny network that knows ten kinds of shapes learns \(kinds.count) new ones from \(Demo.trainingPictures) "
          + "pictures each: \(kinds.map(\.rawValue).joined(separator: ", ")).")
    }
    var demo = Demo(folder: folder)
    demo.seed = seed == 0 ? demo.seed : seed
    demo.epochs = epochs ?? demo.epochs
    demo.command = command
    demo.threads = threads
    view.begin(epochs: demo.epochs)
    var part: Demo.Part?
    let outcome = try demo.run(
      checkpoint: bytes, resume: resume, force: force,
      events: { now, event in
        if part != now, !isSilent {
          view.clear()
          print(now == .scratch ? "\nFrom scratch:" : "\nFrom the pretrained network, its head alone:")
        }
        part = now
        view.show(event)
      }, isInterrupted: stop.isAsked)
    try view.finish(outcome.transfer)
    if !isSilent {
      print(
        "Transfer learning: \(Quantity.percent(outcome.transfer.score)); the same network from scratch: "
          + Quantity.percent(outcome.scratchAccuracy))
    }
  }
}
