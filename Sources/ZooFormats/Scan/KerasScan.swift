import Foundation
import ZooCheckpoint

extension ContentScan {
  /// A Keras model in HDF5: its configuration stands in an attribute of the root.
  mutating func scanKerasModel(_ file: MappedFile, offset: Int, count: Int) {
    // What libhdf5 refuses is told when the file is opened.
    guard let contents = try? HDF5Reader.contents(of: file, offset: offset, count: count) else { return }
    for object in contents.objects where object.path == "/" {
      for name in ["model_config", "training_config"] {
        for text in object.strings(name) ?? [] {
          Array(text.utf8).withUnsafeBytes { scanKerasConfig($0, member: name) }
        }
      }
    }
  }

  /// A configuration's layers: what Keras would import and run to build them.
  mutating func scanKerasConfig(_ bytes: UnsafeRawBufferPointer, member: String) {
    let largest = 64 << 20
    guard bytes.count <= largest, let root = try? JSONSerialization.jsonObject(with: Data(bytes)) else {
      return add(ScanFinding(.malformed, .malformed, place: member, "is no JSON"))
    }
    var pending = [root]
    while let value = pending.popLast() {
      if let list = value as? [Any] { pending += list }
      guard let object = value as? [String: Any] else { continue }
      pending += object.values
      if let name = object["class_name"] as? String { scanKerasObject(name, object, member: member) }
    }
  }

  private mutating func scanKerasObject(_ name: String, _ object: [String: Any], member: String) {
    let config = object["config"] as? [String: Any]
    let title = (config?["name"] as? String).map { " '\($0)'" } ?? ""
    let module = object["module"] as? String
    let function = object["config"] as? String ?? config?["name"] as? String ?? name
    switch name {
    case "__lambda__":
      add(ScanFinding(.dangerous, .kerasLambda, place: member, "holds Python bytecode, which Keras runs on loading"))
    case "Lambda": scanLambda(config, title: title, member: member)
    case "TorchModuleWrapper":
      add(ScanFinding(.dangerous, .kerasLambda, place: member, "layer\(title) unpickles a PyTorch module on loading"))
    case "StringLookup", "IntegerLookup", "TextVectorization", "Hashing":
      if let place = config?["vocabulary"] as? String {
        let words = "layer\(title) reads the file \(place) on loading"
        add(ScanFinding(.dangerous, .kerasOutsideFile, place: member, words))
      }
    default: break
    }
    let imported = name == "function" ? function : name
    if let module, CodeRunningCallables.contains(module: module, name: imported) {
      add(ScanFinding(.dangerous, .codeRunningName, place: member, "imports \(module).\(imported)"))
    } else if ["get_file", "enable_unsafe_deserialization", "load_model"].contains(function), name == "function" {
      add(ScanFinding(.dangerous, .codeRunningName, place: member, "refers to Keras's own \(function)"))
    } else if let module, !Self.isKeras(module) {
      let words = "needs \(module).\(imported)\(title), which is not Keras's"
      add(ScanFinding(.suspicious, .kerasCustomObject, place: member, words))
    } else if module == nil, let registered = object["registered_name"] as? String, registered.contains(">") {
      let words = "needs \(registered)\(title), which is not Keras's"
      add(ScanFinding(.suspicious, .kerasCustomObject, place: member, words))
    }
  }

  private mutating func scanLambda(_ config: [String: Any]?, title: String, member: String) {
    // Keras 2 wrote the marshalled code as a list, Keras 3 as an object of class __lambda__, found on its own.
    let isCode = config?["function"] is [Any] || config?["function_type"] as? String == "lambda"
    add(
      ScanFinding(
        isCode ? .dangerous : .suspicious, .kerasLambda, place: member,
        isCode
          ? "Lambda layer\(title) holds Python bytecode, which Keras runs on loading"
          : "Lambda layer\(title) runs a function of the program that loads it"))
  }

  private static let kerasModules = [
    "keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras", "keras_hub", "keras_nlp", "keras_cv",
    "builtins",
  ]

  private static func isKeras(_ module: String) -> Bool {
    kerasModules.contains { module == $0 || module.hasPrefix($0 + ".") }
  }
}
