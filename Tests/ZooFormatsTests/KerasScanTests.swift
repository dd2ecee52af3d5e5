import Foundation
import Testing
import TestSupport

@testable import ZooFormats

@Suite struct KerasScanTests {
  /// What a layer of a Keras model is told as.
  private func scan(_ layer: String) throws -> ContentScan {
    let config = #"{"class_name":"Sequential","config":{"name":"s","layers":["# + layer + "]}}"
    let weights = try Data(contentsOf: URL(filePath: Fixture.path("hdf5/keras3.weights.h5")))
    let archive = ZipAssembler(members: [
      .init(name: "config.json", data: Array(config.utf8)), .init(name: "metadata.json", data: Array("{}".utf8)),
      .init(name: "model.weights.h5", data: [UInt8](weights)),
    ])
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try Data(archive.bytes()).write(to: URL(filePath: directory.file("x.keras")))
    return ContentScan(path: directory.file("x.keras"))
  }

  @Test func ordinaryLayersAreClean() throws {
    let scan = try scan(
      #"{"module":"keras.layers","class_name":"Dense","config":{"name":"d","units":2},"registered_name":null}"#)
    #expect(scan.verdict == .clean, "\(scan.findings)")
  }

  @Test(arguments: [
    #"{"class_name":"Lambda","config":{"function":{"class_name":"__lambda__","config":{"code":"4wEAAA=="}}}}"#,
    #"{"class_name":"Lambda","config":{"name":"l","function":["4wEAAA==",null,null],"function_type":"lambda"}}"#,
    #"{"module":"os","class_name":"function","config":"system","registered_name":"system"}"#,
    #"{"module":"builtins","class_name":"function","config":"eval","registered_name":"eval"}"#,
    #"{"class_name":"TorchModuleWrapper","config":{"name":"t","module":"gAJ9"}}"#,
    #"{"class_name":"function","module":"keras.utils","config":"get_file"}"#,
    #"{"class_name":"StringLookup","module":"keras.layers","config":{"name":"v","vocabulary":"/etc/passwd"}}"#,
  ])
  func whatRunsOrReadsOnLoadingIsDangerous(_ layer: String) throws {
    #expect(try scan(layer).verdict == .dangerous)
  }

  @Test(arguments: [
    #"{"class_name":"Lambda","config":{"name":"l","function":"scale","function_type":"function"}}"#,
    #"{"module":"studio.layers","class_name":"Blur","config":{"name":"b"},"registered_name":"studio>Blur"}"#,
    #"{"class_name":"Blur","config":{"name":"b"},"registered_name":"studio>Blur"}"#,
  ])
  func whatNeedsOthersCodeIsSuspicious(_ layer: String) throws {
    #expect(try scan(layer).verdict == .suspicious)
  }

  @Test func wholeModelInHDF5IsLookedInto() {
    let scan = ContentScan(path: Fixture.path("hdf5/keras2-model.h5"))
    #expect(scan.format == .hdf5)
    #expect(scan.verdict == .clean, "\(scan.findings)")
  }
}
