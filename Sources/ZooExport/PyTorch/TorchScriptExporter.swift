import OrderedCollections
import ZooCheckpoint
import ZooFormats

/// A TorchScript archive without methods: `torch.jit.load(f).state_dict()` gives the tensors, from C++ too.
///
/// Each part of a name is a module, each module a class of its own. Labels and the rest are an extra file,
/// `torch.jit.load(f, _extra_files={"zoo.json": ""})`.
enum TorchScriptExporter: Exporter {
  static let target = ExportTarget.torchScriptState

  static func write(_ source: ExportSource, to path: String, options: ExportOptions) throws -> ExportedFile {
    let archive = TorchArchive(source, dtype: options.dtype)
    for name in source.stateDict.names {
      if let dtype = archive.dtype(of: name), dtype.isMissingFromTorchScript {
        throw ExportError.tensor(
          file: source.path, tensor: name, target: target, problem: "is of \(dtype.name)",
          advice: dtype.isFloatingPoint ? "export with --dtype float16" : "export to torch")
      }
    }
    let tree = try ModuleTree(source)
    let file = try AtomicFile(path: path, overwrite: options.overwrite)
    var zip = ZipWriter(file)
    let buffers = source.buffers
    try zip.add(TorchArchive.folder + "data.pkl", pickle(tree, archive: archive, buffers: buffers))
    try zip.add(TorchArchive.folder + "code/__torch__.py", code(tree, buffers: buffers).utf8)
    try zip.add(TorchArchive.folder + "constants.pkl", [0x80, 2, UInt8(ascii: ")"), UInt8(ascii: ".")])
    try archive.addStorages(to: &zip)
    let order = tree.names == source.stateDict.names ? nil : source.stateDict.names
    try zip.add(TorchArchive.folder + "extra/zoo.json", source.carriedJSON(order: order).utf8)
    try zip.finish()
    try file.commit()
    return ExportedFile(path: path, bytes: file.count, tensors: source.stateDict.count)
  }

  private static func pickle(_ tree: ModuleTree, archive: TorchArchive, buffers: Set<String>) -> [UInt8] {
    var pickle = PickleWriter()
    func push(_ index: Int) {
      pickle.global("__torch__", ModuleTree.className(index))
      pickle.emptyTuple()
      pickle.newObject()
      pickle.emptyDictionary()
      pickle.mark()
      pickle.string("training")
      pickle.boolean(false)
      for (part, member) in tree.modules[index] {
        pickle.string(part)
        switch member {
        case .tensor(let name): archive.push(name, requiresGradient: !buffers.contains(name), to: &pickle)
        case .module(let child): push(child)
        }
      }
      pickle.setItems()
      pickle.build()
    }
    push(0)
    pickle.stop()
    return pickle.bytes
  }

  /// The classes' attributes, in TorchScript's spelling.
  private static func code(_ tree: ModuleTree, buffers: Set<String>) -> String {
    var text = ""
    for (index, module) in tree.modules.enumerated() {
      var (parameters, constants) = ("", "")
      var declarations = ""
      for (part, member) in module {
        switch member {
        case .tensor(let name):
          if buffers.contains(name) { constants += quoted(part) + ", " } else { parameters += quoted(part) + ", " }
          declarations += declaration(part, type: "Tensor")
        case .module(let child):
          declarations += declaration(part, type: "__torch__." + ModuleTree.className(child))
        }
      }
      text += "class \(ModuleTree.className(index))(Module):\n"
      text += "  __parameters__ = [\(parameters)]\n  __buffers__ = [\(constants)]\n  training : bool\n" + declarations
    }
    return text
  }

  private static func declaration(_ part: String, type: String) -> String {
    "  __annotations__[\(quoted(part))] = \(type)\n"
  }

  /// A string literal; anything but plain ASCII as octal escapes of its bytes.
  private static func quoted(_ text: String) -> String {
    let escaped = text.utf8.map { byte in
      let isPlain = (0x20..<0x7F).contains(byte) && byte != 0x22 && byte != 0x5C
      let octal = String(byte, radix: 8)
      return isPlain ? String(UnicodeScalar(byte)) : "\\" + String(repeating: "0", count: 3 - octal.count) + octal
    }
    return "\"" + escaped.joined() + "\""
  }
}

/// The modules that a state dict's names spell, the root first.
struct ModuleTree {
  enum Member {
    case tensor(String)
    case module(Int)
  }
  private(set) var modules: [OrderedDictionary<String, Member>] = [[:]]
  private static let deepest = 64

  /// - Throws: ``ExportError`` where a name can't be an attribute's path.
  init(_ source: ExportSource) throws {
    for name in source.stateDict.names {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      func refuse(_ problem: String) -> ExportError {
        .tensor(
          file: source.path, tensor: name, target: .torchScriptState, problem: problem, advice: "export to torch")
      }
      guard parts.count <= Self.deepest, !parts.contains("") else { throw refuse("is no path of attributes") }
      guard !parts.contains("training"), !parts.contains(where: { $0.hasPrefix("__") }) else {
        throw refuse("is named as an attribute that every module has")
      }
      var place = 0
      for part in parts.dropLast() {
        switch modules[place][part] {
        case .module(let child): place = child
        case .tensor: throw refuse("is inside what is a tensor itself")
        case nil:
          modules.append([:])
          modules[place][part] = .module(modules.count - 1)
          place = modules.count - 1
        }
      }
      guard let last = parts.last, modules[place][last] == nil else { throw refuse("is named as a module") }
      modules[place][last] = .tensor(name)
    }
  }

  static func className(_ index: Int) -> String { "State\(index)" }

  /// The tensors in the order of the tree.
  var names: [String] {
    var names: [String] = []
    func collect(_ index: Int) {
      for member in modules[index].values {
        switch member {
        case .tensor(let name): names.append(name)
        case .module(let child): collect(child)
        }
      }
    }
    collect(0)
    return names
  }
}

extension DType {
  /// TorchScript's own reader of tensors knows fewer types than Python's.
  fileprivate var isMissingFromTorchScript: Bool {
    switch self {
    case .uint16, .uint32, .uint64, .float8E4M3, .float8E5M2: true
    default: false
    }
  }
}
