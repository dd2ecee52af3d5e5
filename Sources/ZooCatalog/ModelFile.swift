import Foundation
import ZooCheckpoint
import ZooGraph

/// `zoo/<family>/<model>.json` as it stands in the file.
struct ModelFile: Decodable {
  let name: String
  let title: String
  let family: String
  let note: String?
  let twinOf: String?
  let task: String
  let naming: String?
  let config: JSONValue
  let variants: [JSONValue]?
  let classes: Int
  let labels: String?
  let input: JSONValue
  let parameters: Int
  let gflops: Double
  let paper: Paper?
  let weights: [PublishedWeights]

  /// A network does one task; another in the file would list the model where it can't be used.
  func checkTask(file: String) throws(CatalogError) {
    guard let config = try? JSONEncoder().encode(config),
      let task = try? NetworkFamilies.task(family: family, config: config), task.rawValue != self.task
    else { return }
    throw .badFile(
      file: file, problem: "has the task \(self.task), but such a network of \(family) is for \(task.rawValue)")
  }

  func model(labels: [String]) -> Model {
    var size: [Int] = []
    if case .array(let sides) = input["size"] {
      size = sides.compactMap(\.whole)
    }
    return Model(
      name: name, title: title, family: family, note: note, twinOf: twinOf, task: task, config: config,
      variants: variants ?? [],
      classes: classes, labels: labels, preprocessing: input, inputSize: size, parameters: parameters, gflops: gflops,
      paper: paper, weights: weights, naming: naming ?? "torchvision")
  }
}
