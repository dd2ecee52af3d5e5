import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

/// A file made by `make_hdf5.py` and what it must give.
struct HDF5Fixture {
  struct Facts: Decodable {
    var names: [String]
    var skipped: [String]
  }

  static func path(_ name: String) -> String { Fixture.path("hdf5/\(name)") }

  let facts: Facts
  let expected: StateDict

  init(_ name: String) throws {
    facts = try JSONDecoder().decode(
      Facts.self, from: Data(contentsOf: URL(filePath: Self.path("\(name).expected.json"))))
    expected = try SafetensorsReader.read(MappedFile(path: Self.path("\(name).expected.safetensors"))).stateDict
  }

  /// Holds names, order, dtypes, shapes and every value to what h5py has.
  func expectSame(_ file: WeightFile, sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(file.stateDict.names == facts.names, sourceLocation: sourceLocation)
    #expect(file.skipped.map(\.name).sorted() == facts.skipped.sorted(), sourceLocation: sourceLocation)
    try file.stateDict.expectSame(as: expected, sourceLocation: sourceLocation)
  }
}

@Suite struct HDF5ReaderTests {
  @Test(arguments: [
    "dtypes", "shapes", "layouts", "filters", "chunks-old", "chunks-new", "superblock0", "superblock2", "superblock3",
    "user-block", "user-block-4096", "many", "tied",
  ])
  func datasetsAreThoseThatH5pyReads(_ name: String) throws {
    let file = try WeightFile.open(path: HDF5Fixture.path("\(name).h5"))
    try HDF5Fixture(name).expectSame(file)
    #expect(file.format == .hdf5)
  }

  @Test(arguments: [
    "keras2-fixed", "keras2-variable", "keras2-split", "keras2-model", "keras2-nested", "keras1-tensorflow",
    "keras1-theano", "keras1-theano-order", "keras2-theano", "keras3-legacy", "keras2-channels-first-old",
    "keras2-channels-first-turned", "keras3-channels-first",
  ])
  func layerListsGiveNamesInOneSpelling(_ name: String) throws {
    try HDF5Fixture(name).expectSame(WeightFile.open(path: HDF5Fixture.path("\(name).h5")))
  }

  @Test(arguments: ["keras3", "keras3-nameless", "keras3-bfloat16", "keras3-attributes"])
  func numberedVariablesAreNamedByLayer(_ name: String) throws {
    try HDF5Fixture(name).expectSame(WeightFile.open(path: HDF5Fixture.path("\(name).weights.h5")))
  }

  @Test(arguments: ["keras3-archive", "keras3-archive-nameless"])
  func archivesAreReadWithTheNamesOfTheirConfiguration(_ name: String) throws {
    let file = try WeightFile.open(path: HDF5Fixture.path("\(name).keras"))
    try HDF5Fixture(name).expectSame(file)
    #expect(file.format == .keras)
  }

  /// HDF5 2.0 writes chunked datasets in a way of its own where it is let; older libraries say so.
  @Test func whatIsNewerThanTheLibraryIsReadOrSaidToBeNewer() throws {
    do {
      try HDF5Fixture("newest").expectSame(WeightFile.open(path: HDF5Fixture.path("newest.h5")))
    } catch let error as WorkerError {
      #expect(error.report.problem.contains("newer than this libhdf5"))
    }
  }

  @Test func contiguousDatasetsAreRangesOfTheFile() throws {
    let file = try WeightFile.open(path: HDF5Fixture.path("keras2-fixed.h5"))
    #expect(file.stateDict.tensors.values.allSatisfy { $0.storage.fileRange != nil })
  }

  @Test func hardLinksShareOneStorage() throws {
    let stateDict = try WeightFile.open(path: HDF5Fixture.path("tied.h5")).stateDict
    #expect(stateDict["a"]?.storage === stateDict["b"]?.storage)
    #expect(stateDict["c"]?.storage === stateDict["d"]?.storage)
    #expect(stateDict["a"]?.storage !== stateDict["c"]?.storage)
  }

  @Test(arguments: [
    ("Conv2D", "conv2d"), ("DepthwiseConv2D", "depthwise_conv2d"), ("BatchNormalization", "batch_normalization"),
    ("InputLayer", "input_layer"), ("LSTM", "lstm"), ("GRUCell", "gru_cell"), ("Conv2DTranspose", "conv2d_transpose"),
    ("MultiHeadAttention", "multi_head_attention"), ("GlobalAveragePooling2D", "global_average_pooling2d"),
    ("LayerScale", "layer_scale"), ("Sequential", "sequential"), ("ReLU", "re_lu"), ("PReLU", "p_re_lu"),
  ])
  func classesAreSpelledAsKerasSpellsThem(_ name: String, _ spelled: String) {
    #expect(KerasArchiveReader.snakeCase(name) == spelled)
  }
}
