import Testing
import ZooCheckpoint

extension StateDict {
  /// Holds dtype, shape and every byte of each tensor to what another library has under its name.
  func expectSame(as expected: StateDict, sourceLocation: SourceLocation = #_sourceLocation) throws {
    for (name, tensor) in tensors {
      let reference = try #require(expected[name], "\(name)", sourceLocation: sourceLocation)
      #expect(tensor.dtype == reference.dtype, "\(name)", sourceLocation: sourceLocation)
      #expect(tensor.shape == reference.shape, "\(name)", sourceLocation: sourceLocation)
      let bytes = try tensor.withContiguousBytes { [UInt8]($0) }
      #expect(try bytes == reference.withContiguousBytes { [UInt8]($0) }, "\(name)", sourceLocation: sourceLocation)
    }
  }
}
