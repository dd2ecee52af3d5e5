/// What a classifier's logits say of examples whose classes are known.
public struct JudgedExamples: ExampleFindings {
  public private(set) var confusion: ConfusionMatrix
  public private(set) var calibration = Calibration()
  /// Most confident first.
  private(set) var mistakes: [JudgedMistake] = []

  /// - Parameter logits: a row for each example.
  init(logits: [[Float]], truths: [Int], labels: [String]) {
    confusion = ConfusionMatrix(labels: labels)
    for (place, (row, truth)) in zip(logits, truths).enumerated() {
      let prediction = SoftmaxLoss.highest(row)
      let confidence = Double(SoftmaxLoss.probabilities(row)[prediction])
      confusion.add(truth: truth, prediction: prediction)
      calibration.add(confidence: confidence, isRight: prediction == truth)
      guard prediction != truth else { continue }
      mistakes.append(
        JudgedMistake(
          place: place, truth: labels[truth], prediction: labels[prediction], weight: confidence,
          confidence: confidence))
    }
    mistakes.sort { $0.weight > $1.weight }
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
