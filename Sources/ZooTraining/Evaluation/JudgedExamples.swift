/// What a classifier's logits say of examples whose classes are known.
public struct JudgedExamples: Findings {
  struct Mistake {
    /// The example's place among those judged.
    let place: Int
    let prediction: Int
    /// Probability given to the wrong class, from 0 to 1.
    let confidence: Double
  }

  public private(set) var confusion: ConfusionMatrix
  public private(set) var calibration = Calibration()
  /// Most confident first.
  private(set) var mistakes: [Mistake] = []

  /// - Parameter logits: a row for each example.
  init(logits: [[Float]], truths: [Int], labels: [String]) {
    confusion = ConfusionMatrix(labels: labels)
    for (place, (row, truth)) in zip(logits, truths).enumerated() {
      let prediction = SoftmaxLoss.highest(row)
      let confidence = Double(SoftmaxLoss.probabilities(row)[prediction])
      confusion.add(truth: truth, prediction: prediction)
      calibration.add(confidence: confidence, isRight: prediction == truth)
      guard prediction != truth else { continue }
      mistakes.append(Mistake(place: place, prediction: prediction, confidence: confidence))
    }
    mistakes.sort { $0.confidence > $1.confidence }
  }

  public func tiles(_ content: ReportContent) -> [(value: String, name: String)] {
    [
      (HTMLReport.percent(confusion.accuracy), "validation accuracy"),
      ("\(confusion.correct) of \(confusion.total)", "\(content.examples) right"),
    ]
  }

  public func sections(_ content: ReportContent) -> String {
    ClassSections(confusion: confusion, calibration: calibration, content: content).html()
  }

  public func headline(examples: String) -> (value: String, words: String) {
    (
      HTMLReport.percent(confusion.accuracy),
      " of the validation \(examples) right (\(confusion.correct) of \(confusion.total))"
    )
  }
}
