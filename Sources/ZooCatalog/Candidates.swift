import Synchronization
import ZooCheckpoint
import ZooGraph

/// The networks of a catalogue's models, built when somebody first asks for them.
final class Candidates: Sendable {
  private let built = Mutex<[String: [Candidate]]>([:])
  private let forms = Mutex<[Kin: Set<String>]?>(nil)

  /// Each model's network in each of its variants; what doesn't build is left out.
  func networks(of models: [Model]) -> [Candidate] {
    built.withLock { built in
      let missing = models.filter { built[$0.name] == nil }
      for (model, made) in zip(missing, missing.concurrentMap(Candidate.all)) { built[model.name] = made }
      return models.flatMap { built[$0.name] ?? [] }
    }
  }

  /// The networks of those models that names may be of at all; the others are never built.
  ///
  /// - Parameter all: the catalogue's models, the smallest of each family first.
  func networks(of models: [Model], resembling names: [String], among all: [Model]) -> [Candidate] {
    let known = knownForms(all)
    let forms = names.map(NameForm.form)
    let unlike = known.filter { !NameForm.resembles(forms, $0.value) }
    return networks(of: models.filter { unlike[Kin($0)] == nil })
  }

  /// Makes what ``networks(of:resembling:among:)`` goes by.
  func prepare(_ models: [Model]) { _ = knownForms(models) }

  private func knownForms(_ models: [Model]) -> [Kin: Set<String>] {
    forms.withLock { forms in
      if let forms { return forms }
      // Their graphs go again where they were made: most are of no further use.
      let made = Kin.smallest(of: models).concurrentMap { NameForm.forms(of: Candidate.all(of: $0)) }
        .reduce(into: [:]) { $0.merge($1) { $0.union($1) } }
      forms = made
      return made
    }
  }
}

/// Models of one family whose configurations have the same fields: their networks have modules of the same names.
struct Kin: Hashable {
  let family: String
  let fields: Set<String>

  init(_ model: Model) {
    family = model.family
    fields = model.config.fields
  }

  /// The first of each kin.
  static func smallest(of models: [Model]) -> [Model] {
    var seen: Set<Kin> = []
    return models.filter { seen.insert(Kin($0)).inserted }
  }
}

extension JSONValue {
  /// Paths of all fields of an object and of the objects in it.
  fileprivate var fields: Set<String> {
    guard case .object(let object) = self else { return [] }
    return object.reduce(into: []) { fields, entry in
      fields.insert(entry.key)
      fields.formUnion(entry.value.fields.map { entry.key + "." + $0 })
    }
  }
}

/// What a tensor's name has in common with those of other layers and other members of its family: its last three parts,
/// with `#` for each number.
enum NameForm {
  static func form(_ name: String) -> String {
    var form: [UInt8] = []
    var parts = 0
    for byte in name.utf8.reversed() {
      let isDigit = (0x30...0x39).contains(byte)
      if byte == 0x2E { parts += 1 }
      if parts == 3 { break }
      if !isDigit { form.append(byte) } else if form.last != 0x23 { form.append(0x23) }
    }
    return String(decoding: form.reversed(), as: UTF8.self)
  }

  static func forms(of networks: [Candidate]) -> [Kin: Set<String>] {
    networks.reduce(into: [:]) { forms, network in
      let names = network.graph.parameters.map(\.name) + network.graph.aliases.keys
      forms[Kin(network.model), default: []].formUnion(names.map(form))
    }
  }

  /// Whether names of these forms can be a network's of a kin.
  ///
  /// A model is worth naming where more than half of its tensors fit and they are more than half of the file's. At most
  /// ``mostUnlike`` of a member's tensors have forms that the smallest member lacks, so that of a file that fits more than an
  /// eighth of the names have them; half of that leaves room for constants that a naming leaves out, and for counters.
  static func resembles(_ forms: [String], _ kin: Set<String>) -> Bool {
    forms.count { kin.contains($0) } * 16 > forms.count
  }

  /// The largest share of a member's tensors whose forms are new, beside its kin's smallest.
  static let mostUnlike = 0.25
}
