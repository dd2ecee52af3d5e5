import Synchronization
import ZooCheckpoint
import ZooFormats

/// An ONNX model ready to run on values of any shape that its operators take.
///
/// Shapes may depend on data. Every operator was checked when the program was made, and what depends on constants only
/// was computed then. A program is immutable: many threads may run it.
public final class ONNXProgram: Sendable {
  /// The model's inputs without a value of their own, in its order.
  public let inputs: [ONNXModel.Value]
  /// The names of the results, in the model's order.
  public let outputs: [String]
  let limits: ONNXLimits
  let kernels: NativeKernels
  private let block: Block
  private let inputPlaces: [String: Int]
  private let constants: [ONNXValue?]

  /// - Throws: ``ONNXProgramError``: `unsupported` names every operator without a kernel at once; `TensorError`,
  ///   `FileError` for weights that can't be read.
  public init(_ model: ONNXModel, limits: ONNXLimits = ONNXLimits()) throws {
    let compiler = try ProgramCompiler(model, limits: limits)
    (block, inputPlaces) = try compiler.compile()
    (inputs, outputs) = (model.graph.inputs, model.graph.outputs.map(\.name))
    (self.limits, kernels) = (limits, compiler.kernels)
    constants = compiler.constants
  }

  /// One of a model's functions as a program of its own.
  package init(_ function: ONNXModel.Function, of model: ONNXModel, limits: ONNXLimits = ONNXLimits()) throws {
    let compiler = try ProgramCompiler(model, limits: limits)
    (block, inputPlaces) = try compiler.compile(function)
    (inputs, outputs) = ([], function.outputs)
    (self.limits, kernels) = (limits, compiler.kernels)
    constants = compiler.constants
  }

  /// - Parameter values: by the names of ``inputs``; an input left out is an error only where something reads it.
  /// - Returns: every output by its name.
  /// - Throws: ``ONNXProgramError``.
  public func run(_ values: [String: ONNXValue]) throws -> [String: ONNXValue] {
    let frame = Frame(values: constants, limits: limits)
    for (name, place) in inputPlaces {
      if let value = values[name] { try frame.store(value, at: place) }
    }
    try frame.run(block, kernels: kernels)
    var results: [String: ONNXValue] = [:]
    for (name, place) in zip(outputs, block.outputs) {
      guard let value = frame.values[place] else { throw ONNXProgramError(.missingGraphInput(name)) }
      results[name] = value
    }
    return results
  }
}
