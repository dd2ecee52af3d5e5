import Foundation
import Testing
import TestSupport
import ZooCheckpoint

@testable import ZooFormats

/// What an attacker who took over a parser would try, done by the worker itself: each ends in one clear error.
@Suite struct SandboxTests {
  private func error(_ task: WorkerProtocol.Task) throws -> WorkerError {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let path = directory.file("x.h5")
    try Data(repeating: 7, count: 4096).write(to: URL(filePath: path))
    let file = try MappedFile(path: path)
    return try #require(throws: WorkerError.self) {
      _ = try Worker.run(task, on: file, offset: 0, count: file.count, limit: 1)
    }
  }

  @Test func openingAFileGivesNothing() throws {
    // libhdf5 asks for it without need, so it fails instead of ending the process.
    guard case .refused(_, "open", "error 13") = try error(.probeOpen) else { throw Unexpected.opened("file") }
  }

  @Test(arguments: [WorkerProtocol.Task.probeExecute, .probeSocket, .probeFork, .probeSignal])
  func startingProgramsAndReachingOthersEndsTheWorker(_ task: WorkerProtocol.Task) throws {
    guard case .forbiddenCall = try error(task) else { throw Unexpected.opened("\(task)") }
  }

  @Test func writingToTheFileIsNotPossible() throws {
    // The descriptor is open for reading only, and closed before parsing starts.
    guard case .refused(_, "write", "error 9") = try error(.probeWrite) else { throw Unexpected.opened("writing") }
  }

  @Test func crashIsToldWithItsSignal() throws {
    guard case .crashed(_, SIGSEGV) = try error(.probeCrash) else { throw Unexpected.opened("crash") }
  }

  @Test func memoryHasALimit() throws {
    guard case .crashed(_, SIGABRT) = try error(.probeMemory) else { throw Unexpected.opened("memory") }
  }

  @Test func timeHasALimit() throws {
    guard case .timeLimit(_, 1) = try error(.probeTime) else { throw Unexpected.opened("time") }
  }

  @Test func eachOfTheseIsOneLineForPeople() throws {
    for error: WorkerError in [
      .crashed(file: "x.h5", signal: 11), .forbiddenCall(file: "x.h5"), .timeLimit(file: "x.h5", seconds: 20),
      .noSandbox(file: "x.h5"), .badReply(file: "x.h5", problem: "is too long"),
    ] {
      #expect(error.report.line.hasPrefix("x.h5: "))
      #expect(!error.report.line.contains("\n"))
    }
    #expect(WorkerError.noSandbox(file: "x").report.kind == .unavailable)
  }

  @Test func answerOfACompromisedWorkerIsNotBelieved() throws {
    let path = PyTorchFixture.path("../hdf5/dtypes.h5")
    func dataset(_ shape: String, _ offset: Int, _ count: Int) -> String {
      #"{"objects":[{"path":"/a","attributes":{},"dataset":{"kind":"float","size":4,"bigEndian":false,"shape":"#
        + #"[\#(shape)],"layout":"contiguous","offset":\#(offset),"count":\#(count)}}]}"#
    }
    let lies = [
      "", "{", "null", "[]", #"{"objects":[{"path":"/a","attributes":{},"dataset":null}]}"#,
      dataset("4", 99_999_999, 16), dataset("\(Int.max),\(Int.max)", 0, 16), dataset("-1", -5, -16),
      dataset("4", Int.max, Int.max), dataset("4", 0, 8),
    ]
    for lie in lies {
      let error = #expect(throws: (any Error).self) {
        _ = try WorkerStandIn.with({ _, _ in (Data(lie.utf8), .parsed) }) { try WeightFile.open(path: path) }
      }
      #expect(error is any ReportableError, "\(lie)")
    }
  }

  @Test func chunkListedTwiceIsRefused() throws {
    let chunk = #"{"offset":0,"count":16,"mask":0,"at":[0]}"#
    func answer(_ chunks: String) -> String {
      #"{"objects":[{"path":"/a","attributes":{},"dataset":{"kind":"float","size":4,"bigEndian":false,"shape":[4],"#
        + #""layout":"chunked","chunk":[4],"filters":[],"chunks":[\#(chunks)]}}]}"#
    }
    func open(_ answer: String) throws -> WeightFile {
      try WorkerStandIn.with({ _, _ in (Data(answer.utf8), .parsed) }) {
        try WeightFile.open(path: PyTorchFixture.path("../hdf5/dtypes.h5"))
      }
    }
    #expect(try open(answer(chunk)).stateDict["a"]?.shape == [4])
    let error = try #require(throws: HDF5Error.self) { _ = try open(answer(chunk + "," + chunk)) }
    #expect(error.fault == .badChunk(at: [0], problem: "is listed twice"))
  }
}
