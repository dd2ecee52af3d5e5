import ZooCheckpoint

/// `converters/<naming>/<family>.json` as it stands in the file.
struct NameMapFile: Decodable {
  struct Rule: Decodable {
    let from: String
    let to: String
    let transform: [String]?
    let inverse: [String]?
    let part: String?
    let share: String?
  }

  let naming: String
  let family: String
  let version: Int
  let models: [String]?
  let tables: [String: [String: String]]?
  let input: JSONValue?
  let config: JSONValue?
  let settings: [String: SettingRule]?
  let ranked: [String]?
  let paths: [String: String]?
  let fill: [String: Float]?
  let zeroParts: [String]?
  let derived: [String]?
  let caution: String?
  let rules: [Rule]
}

/// How one naming's tensors become a family's canonical ones, and back.
///
/// The first rule that matches a name decides. A name that none matches is kept and reported.
public struct NameMap: Sendable {
  struct Part: Sendable, Equatable {
    let index: Int
    let count: Int
    /// Whether the source has the whole, of which ours is a part; else it is the other way round.
    let isOfSource: Bool

    /// Reads `1/3`, the first of three.
    init?(_ text: String, isOfSource: Bool) {
      let numbers = text.split(separator: "/", omittingEmptySubsequences: false).compactMap { Int($0) }
      guard numbers.count == 2, (2...16).contains(numbers[1]), (1...numbers[1]).contains(numbers[0]) else { return nil }
      (index, count) = (numbers[0] - 1, numbers[1])
      self.isOfSource = isOfSource
    }

    /// Whether several tensors become one; else one becomes several.
    func gathers(_ direction: Direction) -> Bool { (direction == .importing) != isOfSource }
  }

  struct Rule: Sendable {
    let from: NamePattern
    let to: NamePattern
    let kinds: [String: NamePattern.Kind]
    let transforms: [TensorTransform]
    /// From ours to the source; nil where the rule works one way only.
    let inverse: [TensorTransform]?
    /// Which of several equal parts, along the first dimension, of our tensor the source's is, or ours of the source's;
    /// nil where both are whole.
    let part: Part?

    var text: String { "\(from.text) → \(to.text)" }
  }

  public let naming: String
  public let family: String
  public let version: Int
  /// Members it fits; nil for all of the family.
  public let models: Set<String>?
  /// Preprocessing of those who use the naming, where it isn't the model's.
  public let input: JSONValue?
  /// Fields of the family's configuration that networks of the naming have, where they aren't the model's.
  let config: JSONValue?
  /// What it makes of the fields of a `config.json` beside the weights.
  let settings: [String: SettingRule]
  /// Classes of names that carry on counting from file to file.
  package let ranked: [String]
  /// Where a Keras 3 file has each layer that has weights: `sequential/conv2d` for `stem.conv`, the groups called `layers`
  /// left out.
  public let paths: [String: String]
  /// ``paths`` the other way, in the reader's spelling: `layers.sequential.layers.conv2d`.
  let counted: [String: String]
  /// Values of tensors that the naming leaves out, by the end of their canonical name.
  let fill: [String: Float]
  /// Ends of canonical names whose parts that the naming leaves out are zeros.
  let zeroParts: [String]
  /// Names of buffers, in either naming, that follow from the configuration and are left out.
  let derived: [NamePattern]
  /// Networks of other computations that have these names, where no `config.json` tells which one it is.
  public let caution: String?
  /// Where it was read from.
  public let file: String
  let rules: [Rule]

  /// Whether it renames anything or leaves it out; else the names are the model's own, and it says what else is theirs.
  var hasOwnNames: Bool { !(rules.isEmpty && derived.isEmpty) }

  /// Whether a name is that of a buffer which follows from the configuration.
  func derives(_ name: String) -> Bool {
    derived.contains { $0.match(name, kinds: [:], side: .source) != nil }
  }

  /// Whether it is about the model's own naming: older spellings, buffers that nobody needs, its publisher's settings.
  func isOwn(of model: Model) -> Bool { naming == model.naming && fits(model) }

  /// Whether the map's names can be those of a model.
  public func fits(_ model: Model) -> Bool { model.family == family && models?.contains(model.name) ?? true }

  /// - Throws: ``CatalogError/badFile(file:problem:)`` where a rule can't be understood or its sides name different
  ///   captures.
  init(_ source: NameMapFile, file: String) throws(CatalogError) {
    naming = source.naming
    family = source.family
    version = source.version
    models = source.models.map { Set($0) }
    input = source.input
    config = source.config
    settings = source.settings ?? [:]
    zeroParts = source.zeroParts ?? []
    caution = source.caution
    ranked = source.ranked ?? []
    fill = source.fill ?? [:]
    paths = source.paths ?? [:]
    guard Set(paths.values).count == paths.count else {
      throw .badFile(file: file, problem: "paths give two layers one place")
    }
    counted = Dictionary(uniqueKeysWithValues: paths.map { (Self.spelled($0.value), $0.key) })
    self.file = file
    var tables: [String: NamePattern.Kind] = ["int": .integer, "path": .path, "segment": .segment]
    for (name, table) in source.tables ?? [:] {
      guard Set(table.values).count == table.count else {
        throw .badFile(file: file, problem: "table '\(name)' gives two texts one meaning")
      }
      // Longest first, so that 1 doesn't shadow 10.
      let rows = table.map { NamePattern.Row(source: $0.key, canonical: $0.value) }
        .sorted { ($1.source.count, $0.source) < ($0.source.count, $1.source) }
      tables[name] = .lookup(rows)
    }
    var derived: [NamePattern] = []
    for text in source.derived ?? [] {
      guard let pattern = NamePattern(text, declare: { _, _ in }) else {
        throw .badFile(file: file, problem: "derived: '\(text)' is malformed")
      }
      derived.append(pattern)
    }
    self.derived = derived
    var rules: [Rule] = []
    for rule in source.rules { rules.append(try Self.rule(rule, tables, file: file)) }
    self.rules = rules
  }

  private static func spelled(_ path: String) -> String {
    path.split(separator: "/").map { "layers." + $0 }.joined(separator: ".")
  }

  private static func rule(
    _ rule: NameMapFile.Rule, _ tables: [String: NamePattern.Kind], file: String
  ) throws(CatalogError) -> Rule {
    func bad(_ problem: String) -> CatalogError {
      .badFile(file: file, problem: "rule '\(rule.from)': \(problem)")
    }
    var kinds: [String: NamePattern.Kind] = [:]
    var unknown: String?
    let declare = { (capture: String, kind: String) in
      if let known = tables[kind] { kinds[capture] = known } else { unknown = kind }
    }
    guard let from = NamePattern(rule.from, declare: declare) else { throw bad("'\(rule.from)' is malformed") }
    guard let to = NamePattern(rule.to, declare: { unknown = $1 }) else { throw bad("'\(rule.to)' is malformed") }
    if let unknown { throw bad("no capture kind or table '\(unknown)' here") }
    guard Set(from.captures) == Set(to.captures) else { throw bad("its sides have different captures") }
    for case .capture(let name, let offset) in from.pieces + to.pieces where offset != 0 && kinds[name] != .integer {
      throw bad("'\(name)' is not declared a whole number, which arithmetic needs: {\(name):int}")
    }
    func transforms(_ texts: [String]) throws(CatalogError) -> [TensorTransform] {
      var list: [TensorTransform] = []
      for text in texts {
        guard let transform = TensorTransform(text) else { throw bad("unknown transform '\(text)'") }
        list.append(transform)
      }
      return list
    }
    let forward = try transforms(rule.transform ?? [])
    let undone = forward.reversed().compactMap(\.inverse)
    var inverse: [TensorTransform]? = undone.count == forward.count ? undone : nil
    if let given = rule.inverse { inverse = try transforms(given) }
    guard rule.part == nil || rule.share == nil else { throw bad("it has both a part and a share") }
    let part = (rule.part ?? rule.share).map { Part($0, isOfSource: rule.share != nil) }
    guard part != .some(nil) else { throw bad("'\(rule.part ?? rule.share ?? "")' is no part such as 1/3") }
    return Rule(from: from, to: to, kinds: kinds, transforms: forward, inverse: inverse, part: part ?? nil)
  }
}
