import COneDNN
import Foundation
import ZooCheckpoint
import ZooGraph

/// Texts as a network takes them: ids of their tokens, each text of its own length. Nothing is padded.
public struct SequenceInput: Sendable, Equatable {
  public var ids: [[Int]]
  /// For each token the text it belongs to, 0 or 1; nil for 0 throughout.
  public var typeIDs: [[Int]]?

  public init(ids: [[Int]], typeIDs: [[Int]]? = nil) {
    self.ids = ids
    self.typeIDs = typeIDs
  }
}

/// A compiled network of sequences: packed weights and a chain of kernels. Texts of any number and length run, in batches
/// or token by token.
///
/// One run at a time: concurrent callers wait for each other, since kernels use every thread anyway.
public final class SequencePlan: @unchecked Sendable {
  let lowered: SequenceLowering.Lowered
  let lock = NSLock()
  private let threads: Int32
  private let spareLock = NSLock()
  private var spare: SequenceWorkspace?
  /// Whether the network is an encoder with a decoder.
  public let hasDecoder: Bool
  /// The longest sequence that the position embedding has rows for; nil where positions have no end.
  public let maximumLength: Int?
  /// Columns of each output.
  public var outputColumns: [Int] { lowered.outputs.map(\.columns) }
  /// Bytes of packed weights.
  public let weightBytes: Int

  /// - Parameters:
  ///   - graph: a network of sequences, as its family makes it.
  ///   - threads: nil for one a core.
  /// - Throws: ``EngineError``, `GraphError`, `FileError`.
  public init(
    _ graph: Graph, weights: Weights, precision: SequencePrecision = .float32, threads: Int? = nil
  ) throws {
    self.threads = Int32(threads ?? 0)
    zoo_sequences_use_threads(self.threads)
    var lowering = try SequenceLowering(Network(graph: graph, weights: weights), precision: precision)
    lowered = try lowering.lower()
    hasDecoder = graph.decoderInput != nil
    maximumLength = graph.maximumSequenceLength
    weightBytes = lowered.steps.reduce(0) { sum, step in
      if case .product(let panels, _, _) = step.kernel { sum + panels.bytes } else { sum }
    }
  }

  /// Runs whole texts. Each output is [rows, columns]: a row for each token of each text in turn, or for each text.
  ///
  /// - Throws: ``EngineError``.
  public func run(_ input: SequenceInput) throws -> [FloatTensor] {
    try SequenceState(self, sequences: input.ids.count).advance(input.ids, typeIDs: input.typeIDs)
  }

  /// Runs an encoder-decoder over texts and what its decoder has said to each of them so far.
  ///
  /// - Throws: ``EngineError``.
  public func run(_ input: SequenceInput, decoder: [[Int]]) throws -> [FloatTensor] {
    try SequenceState(self, answering: input).advance(decoder)
  }

  /// Memory for a conversation, used before where there is some: new memory costs a short text a thirtieth of its time.
  func takeWorkspace() -> SequenceWorkspace {
    spareLock.lock()
    defer { spareLock.unlock() }
    defer { spare = nil }
    return spare ?? SequenceWorkspace(lowered.matrices)
  }

  /// Keeps one conversation's memory for the next.
  func giveBack(_ workspace: SequenceWorkspace) {
    spareLock.lock()
    spare = spare ?? workspace
    spareLock.unlock()
  }

  /// Calls `body` alone, on the plan's threads.
  func exclusively<R>(_ body: () throws -> R) rethrows -> R {
    lock.lock()
    defer { lock.unlock() }
    zoo_sequences_use_threads(threads)
    return try body()
  }
}
