import ZooCatalog
import ZooFormats
import ZooONNX

extension WeightFile {
  /// The classes' names that a publisher's `config.json` tells: Transformers' `id2label`, timm's `label_names`; nil where
  /// there are none for each of `classes`, or only the numbers that Transformers puts where nobody named them.
  package func publishedLabels(classes: Int) -> [String]? {
    guard let settings = publisherSettings else { return nil }
    var entries = (0..<classes).map { settings["id2label"]?[String($0)] }
    if case .array(let names)? = settings["label_names"] { entries = names }
    let labels = entries.compactMap { if case .string(let label)? = $0 { label } else { nil } }
    guard labels.count == classes, entries.count == classes,
      !labels.indices.allSatisfy({ labels[$0] == "LABEL_\($0)" })
    else { return nil }
    return labels
  }
}
