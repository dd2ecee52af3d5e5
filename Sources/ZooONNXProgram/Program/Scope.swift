import ZooFormats

/// Which place each name of a graph has; a body also sees the names around it.
final class Scope {
  var places: [String: Int] = [:]
  /// A function's inputs that its call leaves out.
  var absent: Set<String> = []
  private let parent: Scope?
  private let made: Set<String>

  /// Stands for an input that the enclosing function's call left out.
  static let absentPlace = -1

  init(nodes: [ONNXModel.Node], parent: Scope? = nil) {
    self.parent = parent
    made = Set(nodes.flatMap(\.outputs))
  }

  func place(of name: String) -> Int? {
    var scope: Scope? = self
    while let current = scope {
      if let place = current.places[name] { return place }
      if current.absent.contains(name) { return Self.absentPlace }
      scope = current.parent
    }
    return nil
  }

  func isMadeLater(_ name: String) -> Bool {
    var scope: Scope? = self
    while let current = scope {
      if current.made.contains(name) { return true }
      scope = current.parent
    }
    return false
  }
}
