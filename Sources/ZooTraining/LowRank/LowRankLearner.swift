import ZooCheckpoint
import ZooEngine
import ZooGraph

/// A learner whose buffer holds a network's own parameters.
protocol NetworkLearner: Learner {
  /// Where each stands in the buffer.
  var layout: ParameterLayout { get }
}

extension ParameterGroups {
  /// The learner itself, or one of changes of low rank where weights learn by such.
  func adapting(_ learner: any NetworkLearner, seed: UInt64) throws -> any Learner {
    lowRank.weights.isEmpty ? learner : try LowRankLearner(learner, parameters: self, seed: seed)
  }
}

/// Lets a learner's weights learn by changes of low rank: the buffer is that of the factors, and of whatever learns itself.
///
/// The learner within computes the whole gradient of each changed weight, from which those of its factors follow; so it
/// works for any layer of any network without a kernel or a node of its own, and merged weights are the very ones that
/// were trained.
final class LowRankLearner: Learner {
  private struct Part {
    let change: LowRankChange
    /// In the network's buffer.
    let weight: Range<Int>
    /// In ``before``.
    let before: Int
    let a: Int
    let b: Int
  }

  let groups: [GradientDescent.Group]
  /// Of the factors, and of what learns itself.
  let layout: ParameterLayout
  private let network: any NetworkLearner
  private let parts: [Part]
  /// What learns itself: places in the network's buffer and here.
  private let direct: [(network: Range<Int>, here: Range<Int>)]
  private let frozen: Set<String>
  private let learning: ParameterGroups
  /// The changed weights without their changes.
  private let before: [Float]
  private var values: [Float]
  private var gradient: [Float]
  /// Whether the network's parameters follow from ``values``.
  private var isCurrent = true

  /// - Parameter seed: of the factors' first values.
  /// - Throws: `EngineError`, `FileError`.
  init(_ network: any NetworkLearner, parameters learning: ParameterGroups, seed: UInt64) throws {
    let factors = learning.lowRank
    self.learning = learning
    let slices = network.layout.slices.filter { learning.trainable.contains($0.name) }
    let changed = Dictionary(uniqueKeysWithValues: factors.weights.map { ($0.name, $0) })
    layout = ParameterLayout(
      slices.flatMap { slice -> [(name: String, shape: [Int])] in
        guard let weight = changed[slice.name] else { return [(slice.name, slice.shape)] }
        let (names, rank) = (LowRankFactors.names(of: slice.name), factors.settings.rank)
        return [(names.a, [rank, weight.inputs]), (names.b, [weight.outputs, rank])]
      })
    let places = Dictionary(uniqueKeysWithValues: layout.slices.map { ($0.name, $0.range) })
    let all = network.parameters
    var (start, before) = (factors.start(seed: seed), [Float]())
    var parts: [Part] = []
    var direct: [(network: Range<Int>, here: Range<Int>)] = []
    for slice in slices {
      let names = LowRankFactors.names(of: slice.name)
      if let weight = changed[slice.name], let a = places[names.a], let b = places[names.b] {
        parts.append(
          Part(
            change: factors.change(of: weight), weight: slice.range, before: before.count, a: a.lowerBound,
            b: b.lowerBound))
        before += all[slice.range]
      } else if let here = places[slice.name] {
        direct.append((slice.range, here))
        start[slice.name] = FloatTensor(shape: slice.shape, values: Array(all[slice.range]))
      }
    }
    var values = [Float](repeating: 0, count: layout.count)
    try layout.fill(&values, from: start)
    (self.network, self.parts, self.direct, self.before, self.values) = (network, parts, direct, before, values)
    gradient = [Float](repeating: 0, count: layout.count)
    frozen = Set(network.layout.slices.map(\.name)).subtracting(learning.factors.keys)
    groups = layout.slices.map { slice in
      .init(range: slice.range, isDecayed: slice.shape.count > 1, factor: learning.factors[slice.name] ?? 1)
    }
  }

  var parameters: [Float] {
    get { values }
    set {
      values = newValue
      isCurrent = false
    }
  }

  var statistics: [Float] {
    get { network.statistics }
    set { network.statistics = newValue }
  }

  func announce(_ batches: [AnnouncedBatch]) { network.announce(batches) }

  func computeGradient(of batch: [Int], seed: UInt64) throws -> StepOutcome {
    try writeNetwork()
    let outcome = try network.computeGradient(of: batch, seed: seed)
    try readGradient()
    return outcome
  }

  func update(_ body: (_ parameters: inout [Float], _ gradient: [Float]) -> Void) {
    body(&values, gradient)
    isCurrent = false
  }

  func judge() throws -> Judgement {
    try writeNetwork()
    return try network.judge()
  }

  /// The factors, what learns itself, and statistics; nothing of the size of the network.
  func learntWeights() throws -> Weights {
    var learnt = try network.learntWeights().filter { !frozen.contains($0.key) && learning.moves($0.key) }
    layout.read(values, into: &learnt)
    return learnt
  }

  private func writeNetwork() throws {
    guard !isCurrent else { return }
    var failure: EngineError?
    network.update { parameters, _ in
      for (there, here) in direct { parameters.replaceSubrange(there, with: values[here]) }
      for part in parts {
        parameters.replaceSubrange(part.weight, with: before[part.before..<part.before + part.weight.count])
      }
      parameters.withUnsafeMutableBufferPointer { parameters in
        values.withUnsafeBufferPointer { values in
          guard let to = parameters.baseAddress, let from = values.baseAddress else { return }
          do throws(EngineError) {
            for part in parts {
              try part.change.add(a: from + part.a, b: from + part.b, to: to + part.weight.lowerBound)
            }
          } catch {
            failure = error
          }
        }
      }
    }
    if let failure { throw failure }
    isCurrent = true
  }

  private func readGradient() throws {
    var failure: EngineError?
    network.update { _, whole in
      for (there, here) in direct { gradient.replaceSubrange(here, with: whole[there]) }
      whole.withUnsafeBufferPointer { whole in
        values.withUnsafeBufferPointer { values in
          gradient.withUnsafeMutableBufferPointer { gradient in
            guard let whole = whole.baseAddress, let from = values.baseAddress, let to = gradient.baseAddress else {
              return
            }
            do throws(EngineError) {
              for part in parts {
                try part.change.gradients(
                  of: whole + part.weight.lowerBound, a: from + part.a, b: from + part.b, intoA: to + part.a,
                  intoB: to + part.b)
              }
            } catch {
              failure = error
            }
          }
        }
      }
    }
    if let failure { throw failure }
  }
}
