import Foundation
import ZooFormats

extension WeightFile {
  /// The classes' names that a publisher's `config.json` tells: Transformers' `id2label`, timm's `label_names`; nil where
  /// there are none for each of `classes`, or only the numbers that Transformers puts where nobody named them.
  func publishedLabels(classes: Int) -> [String]? {
    guard let config = publisherConfig.map({ Data($0.utf8) }),
      let fields = try? JSONDecoder().decode(LabelFields.self, from: config)
    else { return nil }
    let labels =
      fields.names ?? (0..<classes).compactMap { index in fields.id2label?[String(index)] }
    guard labels.count == classes, !labels.indices.allSatisfy({ labels[$0] == "LABEL_\($0)" }) else { return nil }
    return labels
  }
}

private struct LabelFields: Decodable {
  let id2label: [String: String]?
  let names: [String]?

  private enum CodingKeys: String, CodingKey {
    case id2label
    case names = "label_names"
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    // Of another type they are no labels, and nothing that a conversion fails on.
    id2label = try? fields.decode([String: String].self, forKey: .id2label)
    names = try? fields.decode([String].self, forKey: .names)
  }
}
