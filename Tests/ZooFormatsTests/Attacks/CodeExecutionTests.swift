import Testing
import ZooCheckpoint

@testable import ZooFormats

@Suite struct CodeExecutionTests {
  /// A state dict, then `module.name("true")`, dropped from the stack.
  private func attack(_ module: String, _ name: String, stackGlobal: Bool = false) -> [UInt8] {
    let pickle = PickleAssembler.stateDict { pickle in
      if stackGlobal {
        pickle.string(module)
        pickle.string(name)
        pickle.put(.stackGlobal)
      } else {
        pickle.global(module, name)
      }
      pickle.string("true")
      pickle.put(.tuple1)
      pickle.put(.reduce)
      pickle.put(.pop)
    }
    return ZipAssembler.checkpoint(pickle).bytes()
  }

  @Test(arguments: [
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("builtins", "eval"), ("builtins", "exec"),
    ("__builtin__", "eval"), ("builtins", "__import__"), ("builtins", "getattr"), ("builtins", "compile"),
    ("subprocess", "Popen"), ("subprocess", "check_output"), ("runpy", "_run_code"), ("pty", "spawn"),
    ("socket", "create_connection"), ("shutil", "rmtree"), ("importlib", "import_module"),
    ("pkgutil", "resolve_name"), ("torch.hub", "load"), ("operator", "attrgetter"), ("operator", "methodcaller"),
    ("functools", "partial"), ("torch.storage", "_load_from_bytes"), ("urllib.request", "urlopen"),
  ])
  func callableThatRunsCodeIsNamedWithItsOffset(_ module: String, name: String) throws {
    let bytes = attack(module, name)
    let offset = PickleAssembler.stateDict().count - 1
    do {
      _ = try open(bytes)
      throw Unexpected.opened(name)
    } catch let error as PyTorchError {
      let expected = (module == "__builtin__" ? "__builtin__" : module) + "." + name
      #expect(error.fault == .dangerousCallable(name: expected))
      #expect(error.place == "data.pkl at byte \(offset)")
      #expect(error.report.kind == .badData)
    }
    let file = try open(bytes, salvage: true)
    #expect(try file.stateDict["w"]?.floats() == [1, 2, 3, 4])
    #expect(file.globals.filter(\.isDangerous).map(\.offset) == [offset])
  }

  /// Protocols 0 and 1 call without REDUCE: INST names its callable in the opcode, OBJ has it behind the mark.
  @Test(arguments: [PickleOpcode.inst, .obj])
  func callsOfOldProtocolsAreSeen(_ opcode: PickleOpcode) throws {
    func checkpoint(_ module: String, _ name: String) -> [UInt8] {
      let pickle = PickleAssembler.stateDict { pickle in
        pickle.put(.mark)
        if opcode == .obj { pickle.global(module, name) }
        pickle.string("true")
        pickle.put(opcode, opcode == .inst ? Array("\(module)\n\(name)\n".utf8) : [])
        pickle.put(.pop)
      }
      return ZipAssembler.checkpoint(pickle).bytes()
    }
    let error = try #require(throws: PyTorchError.self) { _ = try open(checkpoint("os", "system")) }
    #expect(error.fault == .dangerousCallable(name: "os.system"))
    #expect(error.report.kind == .badData)
    let file = try open(checkpoint("os", "system"), salvage: true)
    #expect(try file.stateDict["w"]?.floats() == [1, 2, 3, 4])
    #expect(file.globals.filter(\.isDangerous).map(\.name) == ["os.system"])
    let harmless = try open(checkpoint("argparse", "Namespace"))
    #expect(harmless.stateDict.names == ["w"])
    #expect(harmless.globals.last?.name == "argparse.Namespace")
  }

  @Test(arguments: [
    ("torch.serialization", "os.system"), ("numpy", "f2py.os.popen"), ("torch", "hub.os.system"),
    ("collections", "OrderedDict.__init__.__globals__"), ("shutil", "os.system"), ("x", "builtins.eval"),
  ])
  func attributePathToACallableIsSeen(_ module: String, name: String) throws {
    let bytes = attack(module, name, stackGlobal: true)
    #expect(throws: PyTorchError.self) { _ = try open(bytes) }
  }

  @Test(arguments: [
    ("argparse", "Namespace"), ("collections", "OrderedDict"), ("numpy.core.multiarray", "scalar"),
    ("pathlib", "PosixPath"), ("types", "SimpleNamespace"), ("timm.models.resnet", "ResNet"), ("_codecs", "encode"),
    ("torch", "device"), ("os_utils", "system"), ("mycode.model", "Net"), ("datetime", "datetime"),
  ])
  func harmlessClassesArePassedOver(_ module: String, name: String) throws {
    let file = try open(attack(module, name))
    #expect(file.stateDict.names == ["w"])
    #expect(file.globals.last?.name == module + "." + name)
  }

  @Test func callableInALegacyFileIsSeenInAnyOfItsPickles() throws {
    var pickle = PickleAssembler()
    pickle.bytes = [0x80, 2] + PyTorchLegacyReader.magic + [0x80, 2]
    let offset = pickle.bytes.count
    pickle.global("os", "system")
    pickle.string("true")
    pickle.put(.tuple1)
    pickle.put(.reduce)
    pickle.put(.stop)
    for _ in 0..<3 {
      pickle.bytes += [0x80, 2]
      pickle.put(.emptyDict)
      pickle.put(.stop)
    }
    let bytes = pickle.bytes
    do {
      _ = try open(bytes)
      throw Unexpected.opened("legacy")
    } catch let error as PyTorchError {
      #expect(error.fault == .dangerousCallable(name: "os.system"))
      #expect(error.place == "at byte \(offset)")
    }
  }
}
