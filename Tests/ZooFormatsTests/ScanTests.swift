import Foundation
import Testing
import TestSupport
import ZooCheckpoint

@testable import ZooFormats

@Suite struct ScanTests {
  private func scan(_ bytes: [UInt8], name: String = "x.pth") throws -> ContentScan {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try Data(bytes).write(to: URL(filePath: directory.file(name)))
    return ContentScan(path: directory.file(name))
  }

  private func kinds(_ scan: ContentScan) -> Set<ScanFinding.Kind> { Set(scan.findings.map(\.kind)) }

  /// `module.name("touch /tmp/x")`, called.
  private func call(_ module: String = "os", _ name: String = "system") -> [UInt8] {
    var pickle = PickleAssembler()
    pickle.global(module, name)
    pickle.string("touch /tmp/x")
    pickle.put(.tuple1)
    pickle.put(.reduce)
    pickle.put(.stop)
    return pickle.bytes
  }

  @Test(arguments: [
    "module-state.pth", "legacy-p2.pth", "dtypes-p5.pth", "training.pth", "deflated.pth", "zip64.pth", "views.pth",
    "quantized.pth", "sparse.pth", "shards/pytorch_model.bin.index.json", "dtypes-p2.expected.safetensors",
  ])
  func weightsAreClean(_ name: String) {
    let scan = ContentScan(path: PyTorchFixture.path(name))
    #expect(scan.verdict == .clean, "\(scan.findings)")
  }

  @Test(arguments: ["whole-module.pth", "legacy-whole-module.pth", "nested-modules.pth"])
  func wholeModulesNeedTheirMakersCode(_ name: String) {
    let scan = ContentScan(path: PyTorchFixture.path(name))
    #expect(scan.verdict == .suspicious)
    #expect(scan.findings.contains { $0.detail.contains("studio.networks.Block") })
  }

  @Test func tracedModuleRunsItsSource() {
    let scan = ContentScan(path: PyTorchFixture.path("graph-module.pth"))
    #expect(scan.verdict == .dangerous)
    #expect(kinds(scan).contains(.codeRunningCall))
  }

  @Test func torchScriptSaysThatItIsCode() {
    let scan = ContentScan(path: PyTorchFixture.path("script.pt"))
    #expect(scan.verdict == .suspicious)
    #expect(kinds(scan) == [.torchScriptCode])
  }

  @Test func callIsToldWithItsArguments() throws {
    let pickle = PickleAssembler.stateDict { pickle in
      pickle.bytes += call().dropFirst(2).dropLast()
      pickle.put(.pop)
    }
    let scan = try scan(ZipAssembler.checkpoint(pickle).bytes())
    #expect(scan.verdict == .dangerous)
    #expect(scan.findings.first?.detail == "calls os.system('touch /tmp/x')")
    #expect(scan.findings.first?.place?.hasPrefix("archive/data.pkl at byte") == true)
  }

  @Test func barePickleIsLookedInto() throws {
    #expect(try scan(call(), name: "x.pkl").verdict == .dangerous)
    #expect(try scan(call(), name: "notes.txt").verdict == .dangerous)
    // Protocol 0 has no signature.
    #expect(try scan(Array("cos\nsystem\n(S'id'\ntR.".utf8), name: "x.bin").verdict == .dangerous)
    var harmless = PickleAssembler()
    harmless.put(.emptyDict)
    harmless.put(.stop)
    let scan = try scan(harmless.bytes, name: "x.pkl")
    #expect(scan.verdict == .clean && scan.format == .pickle)
  }

  @Test(arguments: ["(S'touch /tmp/x'\nios\nsystem\n.", "(cos\nsystem\nS'touch /tmp/x'\no."])
  func oldOpcodesThatCallAreSeen(_ pickle: String) throws {
    for (bytes, name) in [
      (Array(pickle.utf8), "x.bin"), ([0x80, 1] + Array(pickle.utf8), "x.pkl"),
      (ZipAssembler.checkpoint(Array(pickle.utf8)).bytes(), "x.pth"),
    ] {
      let scan = try scan(bytes, name: name)
      #expect(scan.verdict == .dangerous, "\(name): \(scan.findings)")
      #expect(scan.findings.first?.detail == "calls os.system('touch /tmp/x')")
    }
  }

  @Test func pickleThatBreaksOffAfterItsCallIsDangerous() throws {
    let broken = call().dropLast() + [0xFE, 0xFE]
    let bare = try scan(Array(broken))
    #expect(bare.verdict == .dangerous)
    #expect(kinds(bare).isSuperset(of: [.codeRunningCall, .brokenPickle]))
    let archive = try scan(ZipAssembler.checkpoint(Array(broken)).bytes())
    #expect(archive.verdict == .dangerous)
  }

  @Test func secondPickleBehindTheFirstIsSeen() throws {
    for bytes in [
      PickleAssembler.stateDict() + call(), ZipAssembler.checkpoint(PickleAssembler.stateDict() + call()).bytes(),
      [UInt8](try Data(contentsOf: URL(filePath: PyTorchFixture.path("legacy-p2.pth")))) + call(),
    ] {
      let scan = try scan(bytes)
      #expect(scan.verdict == .dangerous, "\(scan.findings)")
      #expect(kinds(scan).isSuperset(of: [.trailingPickle, .codeRunningCall]))
    }
  }

  @Test(arguments: ["archive/data/1", "archive/README.md", "archive/data/weights.bin"])
  func pickleUnderAnotherNameIsSeen(_ name: String) throws {
    var archive = ZipAssembler.checkpoint()
    archive.members.append(.init(name: name, data: call()))
    let scan = try scan(archive.bytes())
    #expect(scan.verdict == .dangerous)
    #expect(kinds(scan).isSuperset(of: [.hiddenPickle, .codeRunningCall]))
  }

  @Test func secondPickleMemberIsSeen() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members.append(.init(name: "archive/other.pkl", data: call("builtins", "exec")))
    #expect(try scan(archive.bytes()).verdict == .dangerous)
  }

  @Test func programInAnArchiveIsSeen() throws {
    var archive = ZipAssembler.checkpoint()
    archive.members.append(.init(name: "archive/setup.py", data: Array("import os".utf8)))
    #expect(try kinds(scan(archive.bytes())) == [.programMember])
  }

  @Test func archiveThatContradictsItselfIsStillSearched() throws {
    // The tricks that make scanners stop where loaders go on (CVE-2025-1944, CVE-2025-1945).
    var renamed = ZipAssembler.checkpoint(call())
    renamed.members[0].localName = "archive/data.txt"
    var flagged = ZipAssembler.checkpoint(call())
    flagged.members[0].flags = 1
    var corrupt = ZipAssembler.checkpoint(call())
    corrupt.members[0].checksum = 7
    for archive in [renamed, flagged, corrupt] {
      let scan = try scan(archive.bytes())
      #expect(scan.findings.contains { $0.severity == .malformed })
      if archive.members[0].checksum == nil { #expect(scan.verdict == .dangerous) }
    }
    let cut = try scan(Array(ZipAssembler.checkpoint(call()).bytes().dropLast(30)))
    #expect(cut.verdict == .dangerous)
  }

  @Test func unknownClassIsNamedOnce() throws {
    let pickle = PickleAssembler.stateDict { pickle in
      for _ in 0..<3 {
        pickle.global("evil_corp.models", "Net")
        pickle.put(.pop)
      }
    }
    let scan = try scan(ZipAssembler.checkpoint(pickle).bytes())
    #expect(scan.findings.map(\.detail) == ["imports a name that zoo doesn't know: evil_corp.models.Net"])
  }

  @Test func damageIsMalformed() throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: PyTorchFixture.path("dtypes-p2.expected.safetensors"))))
    #expect(try scan(Array(bytes.dropLast())).verdict == .malformed)
    #expect(try scan(Array("hello, this is text".utf8)).verdict == .unreadable)
    #expect(ContentScan(path: "/no/such/file").unreadable?.kind == .noInput)
  }

  @Test func arrayOfObjectsIsAPickle() throws {
    let header = Array("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n".utf8)
    let array = [0x93] + Array("NUMPY".utf8) + [1, 0] + PickleAssembler.little(UInt16(header.count)) + header
    #expect(try kinds(scan(array + PickleAssembler.stateDict(), name: "a.npy")).contains(.objectArray))
    #expect(try scan(array + call(), name: "a.npy").verdict == .dangerous)
    let archive = ZipAssembler(members: [.init(name: "a.npy", data: array + call())])
    #expect(try scan(archive.bytes(), name: "a.npz").verdict == .dangerous)
  }

  @Test func chatTemplateOfGGUFIsRead() throws {
    func file(_ template: String) -> [UInt8] {
      Array("GGUF".utf8) + [UInt8](repeating: 0, count: 28) + Array("tokenizer.chat_template".utf8)
        + PickleAssembler.little(UInt32(8)) + PickleAssembler.little(UInt64(template.utf8.count)) + Array(template.utf8)
    }
    let plain = try scan(file("{% for m in messages %}{{ m }}{% endfor %}"), name: "a.gguf")
    #expect(plain.findings.contains { $0.kind == .chatTemplate && $0.severity == .note })
    let escape = try scan(file("{{ x.__init__.__globals__['os'].popen('id') }}"), name: "a.gguf")
    #expect(escape.verdict == .dangerous)
  }

  private func model(_ nodes: [[ProtobufField]], _ more: [ProtobufField] = []) -> [UInt8] {
    let value: [ProtobufField] = [.message(12, ONNXAssembler.value("y", axes: []))]
    return ONNXAssembler.model(graph: nodes.map { .message(1, $0) } + value, more: more)
  }

  @Test func operatorsOfUnknownLibrariesAreNamedWhereverTheyStand() throws {
    func node(_ kind: String, _ domain: String, _ attributes: [ProtobufField] = []) -> [ProtobufField] {
      ONNXAssembler.node(kind, ["x"], ["y"], [.text(7, domain)] + attributes)
    }
    let branch = ProtobufField.message(
      5, [.text(1, "then_branch"), .message(6, [.message(1, node("Steal", "evil"))]), .number(20, 5)])
    let function: [ProtobufField] = [
      .text(1, "own"), .text(4, "a"), .text(5, "b"), .message(7, node("Steal", "evil")), .text(10, "mine"),
    ]
    for bytes in [
      model([node("Steal", "evil")]), model([node("If", "", [branch])]),
      model([node("own", "mine")], [.message(25, function)]),
    ] {
      let scan = try scan(bytes, name: "x.onnx")
      #expect(scan.verdict == .suspicious)
      #expect(kinds(scan) == [.customOperators])
      #expect(scan.findings.first?.detail == "needs a library of operators that ONNX doesn't have: evil.Steal")
    }
    let harmless = [
      ProtobufField.text(1, "own"), .text(4, "a"), .text(5, "b"), .message(7, node("Relu", "")), .text(10, "mine"),
    ]
    for bytes in [
      model([node("Gelu", "com.microsoft"), node("Relu", "ai.onnx")]),
      model([node("own", "mine")], [.message(25, harmless)]),
    ] { #expect(try scan(bytes, name: "x.onnx").verdict == .clean) }
  }

  @Test func shardsThatLeadOutAndShardsThatRunCodeAreDangerous() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let index = directory.file("pytorch_model.bin.index.json")
    try Data(#"{"weight_map":{"w":"../../etc/passwd"}}"#.utf8).write(to: URL(filePath: index))
    #expect(kinds(ContentScan(path: index)) == [.outsideFile])
    try Data(#"{"weight_map":{"w":"b.bin","w":"a.bin"}}"#.utf8).write(to: URL(filePath: index))
    #expect(ContentScan(path: index).verdict == .malformed)
    try Data(#"{"weight_map":{"w":"a.bin"}}"#.utf8).write(to: URL(filePath: index))
    try Data(ZipAssembler.checkpoint(call()).bytes()).write(to: URL(filePath: directory.file("a.bin")))
    let scan = ContentScan(path: index)
    #expect(scan.verdict == .dangerous)
    #expect(scan.findings.first?.place?.hasPrefix("a.bin: ") == true)
  }
}
