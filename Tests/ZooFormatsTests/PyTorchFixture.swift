import Foundation
import Testing
import TestSupport
import ZooCheckpoint

@testable import ZooFormats

/// A file made by `make_pytorch.py` and what it must give.
struct PyTorchFixture {
  struct Facts: Decodable {
    var names: [String]
    var wrapper: String?
    var versions: [String: Int]?
  }

  static func path(_ name: String) -> String { Fixture.path("pytorch/\(name)") }

  let facts: Facts
  let expected: StateDict

  init(_ name: String) throws {
    facts = try JSONDecoder().decode(
      Facts.self, from: Data(contentsOf: URL(filePath: Self.path("\(name).expected.json"))))
    expected = try SafetensorsReader.read(MappedFile(path: Self.path("\(name).expected.safetensors"))).stateDict
  }

  /// Holds names, order, dtypes, shapes and every byte to what torch has.
  func expectSame(_ found: StateDict, sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(found.names == facts.names, sourceLocation: sourceLocation)
    try found.expectSame(as: expected, sourceLocation: sourceLocation)
  }
}

/// What an error says to a person.
func line(_ error: any Error) -> String { (error as? any ReportableError)?.report.line ?? "unreported: \(error)" }

/// The report of the error that opening the file gives.
func reportOfOpening(_ path: String, salvage: Bool = false) throws -> ErrorReport {
  do {
    _ = try WeightFile.open(path: path, salvage: salvage)
  } catch let error as any ReportableError {
    return error.report
  }
  throw Unexpected.opened(path)
}

enum Unexpected: Error { case opened(String) }
