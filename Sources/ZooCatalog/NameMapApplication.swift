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
  func renamed(_ name: String, _ direction: Direction) -> (name: String, rule: Int)? {
    for (index, rule) in rules.enumerated() {
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
    let ranks = direction == .importing ? ranking(of: stateDict.names) : [:]
    for (name, tensor) in stateDict.tensors {
      var target = name
      var transformed = tensor
      if let (renamed, index) = renamed(ranks[name] ?? name, direction) {
        used.insert(index)
        target = renamed
        transformed = try transform(tensor, named: name, by: rules[index], direction)
      } else {
        unmatched.append(name)
      }
      if let first = origins.updateValue(name, forKey: target) {
        throw CatalogError.nameCollision(map: file, name: target, first: first, second: name)
      }
      result[target] = transformed
    }
    return RenamedStateDict(
      stateDict: result, unmatched: unmatched,
      unusedRules: rules.indices.filter { !used.contains($0) }.map { rules[$0].text })
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
