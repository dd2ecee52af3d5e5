import ZooCheckpoint
import ZooGraph

/// Which rows a matrix of a sequence network has.
enum SequenceRows: Hashable, Sendable {
  /// A row a token, of the input or of what a decoder goes on from.
  case tokens(SequenceSide)
  /// A row a sequence.
  case sequences(SequenceSide)

  var side: SequenceSide {
    switch self {
    case .tokens(let side), .sequences(let side): side
    }
  }
}

enum SequenceSide: Hashable, Sendable {
  case input, decoder
}

/// Columns of a matrix that a step reads or writes.
struct SequenceView {
  /// The number of the matrix.
  var matrix: Int
  var column = 0
  var columns: Int
}

/// A matrix of a plan: rows as many as a run has, columns rounded up to whole panels.
struct SequenceMatrix {
  var rows: SequenceRows
  var columns: Int
}

/// A kernel with what it reads and writes.
struct SequenceStep {
  enum Kernel {
    case embedding(FloatTensor, EmbeddingIndex)
    case product(SequencePanels, Activation?, residual: SequenceView?)
    /// A nil bias: by the root of the mean square.
    case normalization(weight: [Float], bias: [Float]?, epsilon: Float)
    case add(SequenceView)
    case multiply(SequenceView)
    case scale(Float)
    case activation(Activation)
    /// The step's input are the queries. `bias`: [buckets, heads]; `cache`: the number of the attention among the causal.
    case attention(SequenceAttention, keys: SequenceView, values: SequenceView, bias: [Float]?, cache: Int?)
    case select(SequenceToken)
  }

  let name: String
  let kernel: Kernel
  /// Nothing for embeddings.
  var input: SequenceView?
  var output: SequenceView
  var rows: SequenceRows

  /// The matrices that it reads.
  var reads: [Int] {
    var views = input.map { [$0] } ?? []
    switch kernel {
    case .product(_, _, let residual): if let residual { views.append(residual) }
    case .add(let other), .multiply(let other): views.append(other)
    case .attention(_, let keys, let values, _, _): views += [keys, values]
    default: break
    }
    return views.map(\.matrix)
  }

  /// The same step with its matrices under other numbers.
  func renumbered(_ number: (Int) -> Int) -> SequenceStep {
    func moved(_ view: SequenceView) -> SequenceView {
      SequenceView(matrix: number(view.matrix), column: view.column, columns: view.columns)
    }
    let kernel: Kernel =
      switch self.kernel {
      case .product(let panels, let activation, let residual):
        .product(panels, activation, residual: residual.map(moved))
      case .add(let other): .add(moved(other))
      case .multiply(let other): .multiply(moved(other))
      case .attention(let attention, let keys, let values, let bias, let cache):
        .attention(attention, keys: moved(keys), values: moved(values), bias: bias, cache: cache)
      case .embedding, .normalization, .scale, .activation, .select: self.kernel
      }
    return SequenceStep(name: name, kernel: kernel, input: input.map(moved), output: moved(output), rows: rows)
  }
}
