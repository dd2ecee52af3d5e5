import Foundation
import ZooCheckpoint
import ZooFormats
import ZooVision

/// How an ONNX model wants its pictures: by its declared input and its metadata, else as ImageNet's networks do.
struct ONNXPictureInput {
  let name: String
  let preprocessing: Preprocessing
  /// Pictures a run takes.
  let batch: Int
  /// Whether channels stand last, as in TensorFlow.
  let isChannelsLast: Bool
  private(set) var notes: [String] = []

  private static let freeSize = 224

  /// - Throws: ``ModelError/notClassifier(file:problem:)``.
  init(_ model: ONNXModel, file: String) throws {
    func fail(_ problem: String) -> ModelError { .notClassifier(file: file, problem: problem) }
    guard model.graph.inputs.count == 1, let input = model.graph.inputs.first else {
      throw fail("it has \(model.graph.inputs.count) inputs, expected one picture")
    }
    guard let shape = input.shape, shape.count == 4 else {
      let found = input.shape.map { "\($0)" } ?? "no shape"
      throw fail("its input \(input.name) has \(found), expected [batch, 3, height, width]")
    }
    guard input.dtype == .float32 || input.dtype == nil else {
      throw fail("its input \(input.name) is \(input.dtype?.name ?? ""), expected float32")
    }
    name = input.name
    isChannelsLast = shape[1] != 3 && shape[3] == 3
    guard isChannelsLast || shape[1] == 3 || shape[1] == -1 else {
      throw fail("its input \(input.name) of \(shape) has no three colours")
    }
    batch = max(shape[0], 1)
    let sides = isChannelsLast ? Array(shape[1...2]) : Array(shape[2...3])
    guard sides.allSatisfy({ $0 <= 16_384 }), batch <= 1024 else {
      throw fail("its input \(input.name) of \(shape) is larger than pictures are")
    }
    let size = sides.map { $0 > 0 ? $0 : Self.freeSize }
    (preprocessing, notes) = Self.preprocessing(model.metadata, size: size, isFree: sides != size)
    do { try preprocessing.check() } catch { throw fail(error.report.problem) }
  }

  private static func preprocessing(
    _ metadata: [String: String], size: [Int], isFree: Bool
  ) -> (Preprocessing, notes: [String]) {
    if let own = metadata["zoo.input"].flatMap({ try? Preprocessing(json: $0) }), own.size == size || isFree {
      return (own, [])
    }
    let isSquare = size[0] == size[1]
    func made(resize: Int, _ mean: [Float], _ std: [Float]) -> Preprocessing {
      Preprocessing(
        size: size, resize: isSquare ? resize : nil, crop: isSquare ? size[0] : nil, interpolation: .bilinear,
        mean: mean, std: std)
    }
    let across = "\(size[1])×\(size[0])"
    // Ultralytics' exports say imgsz and names; their classifiers take values of 0 to 1.
    if metadata["task"] == "classify", metadata["imgsz"] != nil {
      return (made(resize: size[0], [0, 0, 0], [1, 1, 1]), ["pictures are read as \(across), 0 to 1 (Ultralytics)"])
    }
    let note =
      "the model doesn't say how it wants pictures: they are read as ImageNet's networks do, \(across)"
      + (isSquare ? " from the middle of \(size[0] * 8 / 7)" : "")
    return (made(resize: size[0] * 8 / 7, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), [note])
  }

  /// The picture as the model takes it.
  ///
  /// - Throws: `PictureError`.
  func tensor(_ picture: Picture) throws -> FloatTensor { try tensor(prepared: preprocessing.apply(picture)) }

  /// The prepared picture, [3, height, width], as the model takes it; repeated where it takes several.
  func tensor(prepared planes: FloatTensor) throws -> FloatTensor {
    let size = preprocessing.size
    guard isChannelsLast else {
      let values = try planes.values()
      return FloatTensor(
        shape: [batch, 3] + size, values: batch == 1 ? values : (0..<batch).flatMap { _ in values })
    }
    let count = size[0] * size[1]
    let values = try planes.withValues { values in
      [Float](unsafeUninitializedCapacity: count * 3) { target, initialized in
        for pixel in 0..<count {
          for channel in 0..<3 { target[pixel * 3 + channel] = values[channel * count + pixel] }
        }
        initialized = count * 3
      }
    }
    return FloatTensor(shape: [batch] + size + [3], values: batch == 1 ? values : (0..<batch).flatMap { _ in values })
  }
}
