import ZooVision

/// How a finished network does on the pixels of the validation pictures.
public struct JudgedPixels: Findings {
  /// A picture with what the network made of it, small.
  struct Shown {
    let name: String
    /// Of this picture alone, over the classes that it has or was said to have.
    let meanIoU: Double
    /// The picture, and the same under the colours of its mask and of what the network says.
    let pictures: [Picture]

    private static let side = 220

    init(_ judged: PixelJudge.Judged, name: String) {
      self.name = name
      meanIoU = judged.confusion.meanIntersectionOverUnion
      let shown = judged.shown
      pictures = [shown, judged.truth.laid(over: shown), judged.found.laid(over: shown)]
        .map { $0.thumbnail(Self.side) }
    }
  }

  /// Of pixels; those that masks ignore are left out.
  public let confusion: ConfusionMatrix
  /// The worst first.
  let worst: [Shown]

  public func tiles(_ content: ReportContent) -> [(value: String, name: String)] {
    [
      (HTMLReport.percent(confusion.meanIntersectionOverUnion), "mean IoU"),
      (HTMLReport.percent(confusion.accuracy), "of validation pixels right"),
    ]
  }

  public func headline(examples: String) -> (value: String, words: String) {
    (
      HTMLReport.percent(confusion.meanIntersectionOverUnion),
      " mean IoU on the validation \(examples), \(HTMLReport.percent(confusion.accuracy)) of the pixels right"
    )
  }

  public func sections(_ content: ReportContent) -> String {
    """
    <section><h2>Classes</h2>\
    \(ClassSections.classes(confusion, of: "pixels", last: ("IoU", confusion.intersectionOverUnion), key: key))</section>
    <section><h2>Worst \(content.examples)</h2><p>By their own mean IoU: the picture, its mask over it, and what the \
    network says.</p><ul class="segmented">\(worst.map(card).joined(separator: "\n"))</ul></section>
    <section><h2>Confusion matrix, in pixels</h2>\(ClassSections.matrix(confusion))</section>
    """
  }

  private func card(_ shown: Shown) -> String {
    """
    <li><div class="triple">\(shown.pictures.map(HTMLReport.image).joined())</div>\
    <p><b>\(HTMLReport.percent(shown.meanIoU))</b> <small>\(shown.name.escapedForHTML)</small></p></li>
    """
  }

  /// The colour that a class has over pictures; the background has none.
  private func key(_ label: Int) -> String {
    let colour = ClassMask.palette[label % 256 * 3..<label % 256 * 3 + 3].map(String.init).joined(separator: ",")
    return "<span class=\"key\" style=\"background:\(label == 0 ? "none" : "rgb(\(colour))")\"></span>"
  }
}
