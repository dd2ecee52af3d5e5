import ZooCheckpoint

/// A state dict under other names, and what the renaming did not cover.
public struct RenamedStateDict: Sendable {
  public let stateDict: StateDict
  /// Tensors that no rule matched; they keep their names.
  public let unmatched: [String]
  /// Rules that matched nothing, as `from → to`.
  public let unusedRules: [String]
}

extension NameMap {
  /// Which way a map is applied.
  public enum Direction: Sendable {
    /// From the foreign naming to the canonical one.
    case importing
    /// From the canonical naming to the foreign one.
    case exporting
  }

  /// A name's place in the other naming, with the rule that says so; nil where none matches.
  ///
  /// - Parameter part: the part that is asked for, of a tensor that the other naming has in parts.
  func renamed(_ name: String, _ direction: Direction, part: Int = 0) -> (name: String, rule: Int)? {
    for (index, rule) in rules.enumerated() {
      guard rule.part?.gathers(direction) == true || (rule.part?.index ?? 0) == part else { continue }
      let (here, there) = direction == .importing ? (rule.from, rule.to) : (rule.to, rule.from)
      let (side, other): (NamePattern.Side, NamePattern.Side) =
        direction == .importing ? (.source, .canonical) : (.canonical, .source)
      if let values = here.match(name, kinds: rule.kinds, side: side),
        let target = there.filled(values, kinds: rule.kinds, side: other)
      {
        return (target, index)
      }
    }
    return nil
  }

  /// Renames and transforms a whole state dict; nothing is read, transforms are views or are made on reading.
  ///
  /// - Throws: ``CatalogError/nameCollision(map:name:first:second:)``,
  ///   ``CatalogError/badTransform(map:tensor:transform:shape:)``, ``CatalogError/notInvertible(map:rule:)``,
  ///   ``TensorError``.
  public func apply(_ direction: Direction, to stateDict: StateDict) throws -> RenamedStateDict {
    var result = StateDict()
    var origins: [String: String] = [:]
    var unmatched: [String] = []
    var used = Set<Int>()
    var waiting = WaitingParts()
    let ranks = direction == .importing ? ranking(of: stateDict.names) : [:]
    func place(_ tensor: Tensor, as target: String, from name: String) throws(CatalogError) {
      if let first = origins.updateValue(name, forKey: target) {
        throw CatalogError.nameCollision(map: file, name: target, first: first, second: name)
      }
      result[target] = tensor
    }
    for (name, tensor) in stateDict.tensors where !derives(name) {
      guard let (target, index) = renamed(ranks[name] ?? name, direction) else {
        unmatched.append(name)
        try place(tensor, as: name, from: name)
        continue
      }
      used.insert(index)
      guard let part = rules[index].part else {
        try place(transform(tensor, named: name, by: rules[index], direction), as: target, from: name)
        continue
      }
      if !part.gathers(direction) {
        for (target, rule, share) in try split(tensor, named: ranks[name] ?? name, into: part.count, direction) {
          used.insert(rule)
          try place(transform(share, named: name, by: rules[rule], direction), as: target, from: name)
        }
      } else {
        let own = try transform(tensor, named: name, by: rules[index], direction)
        if let whole = try waiting.add(own, as: part, of: target, from: name) {
          try place(whole, as: target, from: name)
        }
      }
    }
    for (target, name, whole) in try waiting.completed(where: { isZeroInParts($0) }) {
      try place(whole, as: target, from: name)
    }
    for (name, tensor) in waiting.rest {
      unmatched.append(name)
      try place(tensor, as: name, from: name)
    }
    return RenamedStateDict(
      stateDict: result, unmatched: unmatched,
      unusedRules: rules.indices.filter { !used.contains($0) }.map { rules[$0].text })
  }

  /// A tensor's parts under the names and by the rules that the other naming has for them.
  private func split(
    _ tensor: Tensor, named name: String, into count: Int, _ direction: Direction
  ) throws -> [(name: String, rule: Int, tensor: Tensor)] {
    try (0..<count).compactMap { index in
      if direction == .exporting, isZeroInParts(name), renamed(name, .exporting, part: index) == nil,
        let part = try tensor.part(index, of: count)
      {
        guard try part.floats().allSatisfy({ $0 == 0 }) else {
          throw CatalogError.notConstant(map: file, tensor: name, value: 0)
        }
        return nil
      }
      guard let (target, rule) = renamed(name, direction, part: index), let part = try tensor.part(index, of: count)
      else {
        throw CatalogError.badTransform(
          map: file, tensor: name, transform: "part \(index + 1)/\(count)", shape: tensor.shape)
      }
      return (target, rule, part)
    }
  }

  /// The state dict under the foreign names and layouts, without the constant tensors that the naming leaves out.
  ///
  /// - Throws: ``CatalogError/notConstant(map:tensor:value:)`` where such a tensor was changed, by training for instance;
  ///   what ``apply(_:to:)`` throws.
  package func exported(
    _ stateDict: StateDict
  ) throws -> (stateDict: StateDict, unmatched: [String], constant: [String]) {
    var rest = stateDict
    var constant: [String] = []
    for (name, tensor) in stateDict.tensors where renamed(name, .exporting) == nil {
      guard let value = filled(name) else { continue }
      guard try tensor.floats().allSatisfy({ $0 == value }) else {
        throw CatalogError.notConstant(map: file, tensor: name, value: value)
      }
      rest[name] = nil
      constant.append(name)
    }
    let renamed = try apply(.exporting, to: rest)
    return (renamed.stateDict, renamed.unmatched, constant)
  }

  /// Adds the constant tensors that the naming leaves out.
  ///
  /// - Parameter expected: the model's names and shapes.
  /// - Throws: ``TensorError``.
  func filling(_ stateDict: StateDict, expected: [(name: String, shape: [Int])]) throws -> StateDict {
    var result = stateDict
    for (name, shape) in expected where result[name] == nil {
      guard let value = filled(name) else { continue }
      let values = [Float](repeating: value, count: shape.reduce(1, *))
      result[name] = try Tensor(dtype: .float32, shape: shape, storage: MemoryStorage(copying: values))
    }
    return result
  }

  /// The constant that a canonical name stands for in this naming.
  func filled(_ name: String) -> Float? { fill.first { name.hasSuffix($0.key) }?.value }

  /// Whether parts of a canonical tensor that the naming leaves out are zeros.
  func isZeroInParts(_ name: String) -> Bool { zeroParts.contains(where: name.hasSuffix) }

  private func transform(
    _ tensor: Tensor, named name: String, by rule: Rule, _ direction: Direction
  ) throws -> Tensor {
    guard let transforms = direction == .importing ? rule.transforms : rule.inverse else {
      throw CatalogError.notInvertible(map: file, rule: rule.text)
    }
    var current = tensor
    for transform in transforms {
      guard let next = try transform.apply(current) else {
        throw CatalogError.badTransform(
          map: file, tensor: name, transform: "\(transform)", shape: current.shape)
      }
      current = next
    }
    return current
  }

  /// The canonical shape of a foreign tensor; nil where the rule's transforms don't fit it.
  func importedShape(_ shape: [Int], rule: Int) -> [Int]? {
    var current: [Int]? = shape
    for transform in rules[rule].transforms { current = current.flatMap { transform.shape(of: $0) } }
    return current
  }
}

/// Parts of tensors that wait for the others.
private struct WaitingParts {
  private var parts: [String: [Int: (name: String, tensor: Tensor)]] = [:]
  private var counts: [String: Int] = [:]

  /// Returns the whole tensor once all its parts are there, and fit.
  mutating func add(_ tensor: Tensor, as part: NameMap.Part, of target: String, from name: String) throws -> Tensor? {
    parts[target, default: [:]][part.index] = (name, tensor)
    counts[target] = part.count
    guard let known = parts[target], known.count == part.count else { return nil }
    let ordered = (0..<part.count).compactMap { known[$0]?.tensor }
    guard let whole = try Tensor.joined(ordered) else { return nil }
    parts[target] = nil
    return whole
  }

  /// Takes the tensors whose other parts are zeros, each with the name of its first part.
  mutating func completed(where isZero: (String) -> Bool) throws -> [(target: String, name: String, whole: Tensor)] {
    var result: [(String, String, Tensor)] = []
    for (target, known) in parts.sorted(by: { $0.key < $1.key }) where isZero(target) {
      guard let first = known.min(by: { $0.key < $1.key })?.value, let count = counts[target] else { continue }
      let zeros = MemoryStorage([UInt8](repeating: 0, count: first.tensor.elementCount * first.tensor.dtype.size))
      let zero = try Tensor(dtype: first.tensor.dtype, shape: first.tensor.shape, storage: zeros)
      guard let whole = try Tensor.joined((0..<count).map { known[$0]?.tensor ?? zero }) else { continue }
      parts[target] = nil
      result.append((target, first.name, whole))
    }
    return result
  }

  /// Those of tensors that aren't whole, by name.
  var rest: [(String, Tensor)] {
    parts.values.flatMap(\.values).sorted { $0.name < $1.name }.map { ($0.name, $0.tensor) }
  }
}
