import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooText

/// Texts as vectors: the pooled hidden states of an encoder.
public final class TextEmbedder: Sendable {
  private let model: TextModel
  private let plan: SequencePlan
  /// Numbers a text.
  public let count: Int

  /// - Parameter threads: nil for one a core.
  /// - Throws: ``ModelError``, `EngineError`, `GraphError`, `FileError`.
  public init(_ model: TextModel, precision: SequencePrecision = .float32, threads: Int? = nil) throws {
    try model.require(.featureExtraction)
    guard model.graph.decoderInput == nil else { throw ModelError.noFeatures(model: model.name ?? model.path) }
    self.model = model
    plan = try model.plan(precision: precision, threads: threads)
    count = plan.outputColumns[0]
  }

  /// A vector for each text. Texts longer than the network takes are cut at their end.
  ///
  /// - Throws: `EngineError`.
  public func embed(_ texts: [String]) throws -> [[Float]] {
    guard !texts.isEmpty else { return [] }
    let limit = model.maximumLength(of: plan)
    let encodings = texts.map { model.tokenizer.encode($0, maximumLength: limit) }
    let hidden = try plan.run(
      SequenceInput(ids: encodings.map(\.ids), typeIDs: encodings.map(\.typeIDs)))[0].values()
    var first = 0
    return encodings.map { encoding in
      let rows = encoding.ids.count
      defer { first += rows }
      return pooled(hidden[first * count..<(first + rows) * count], rows: rows)
    }
  }

  private func pooled(_ hidden: ArraySlice<Float>, rows: Int) -> [Float] {
    var vector = [Double](repeating: 0, count: count)
    let used = model.settings.pooling == .first ? 1 : rows
    for row in 0..<used {
      for column in 0..<count { vector[column] += Double(hidden[hidden.startIndex + row * count + column]) }
    }
    var factor = 1 / Double(max(used, 1))
    if model.settings.normalize == true {
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      factor = 1 / max(norm, 1e-12)
    }
    return vector.map { Float($0 * factor) }
  }
}
