/// Which pictures of a data set are learnt from and which are judged by, as a table says: columns `path` and `split`.
struct SplitFile {
  let path: String
  private let parts: [String: PictureTable.Part]

  /// - Throws: ``TableError``, ``DataError``, `FileError`.
  init(path: String) throws {
    let table = try Table(path: path)
    let names = try table.values(of: table.column(among: PictureTable.pathColumns))
    var parts: [String: PictureTable.Part] = [:]
    for (index, part) in try table.values(of: "split").enumerated() {
      parts[names[index]] = try PictureTable.part(part, file: path, line: table.records[index].line)
    }
    self.path = path
    self.parts = parts
  }

  /// - Throws: ``DataError/notInSplit(file:name:)`` where a picture isn't listed.
  func divide<Item: Splittable>(_ examples: [Item]) throws(DataError) -> (training: [Item], validation: [Item]) {
    var (training, validation): ([Item], [Item]) = ([], [])
    for example in examples {
      switch parts[example.name] {
      case .training: training.append(example)
      case .validation: validation.append(example)
      case .neither: break
      case nil: throw .notInSplit(file: path, name: example.name)
      }
    }
    return (training, validation)
  }
}
