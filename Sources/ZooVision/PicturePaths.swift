import Foundation

/// Paths of pictures as a command line names them: files, folders with all the pictures in them, `-` for a list on
/// standard input, a path a line.
///
/// Folders and lists are read as the paths are asked for, so that there may be any number of them. One thread at a time
/// may ask.
public final class PicturePaths: @unchecked Sendable {
  /// Extensions of the pictures that are looked for in folders.
  public static let extensions: Set<String> = ["jpg", "jpeg", "jpe", "jfif", "png", "webp"]

  private var arguments: ArraySlice<String>
  private let readLine: () -> String?
  /// Paths and folders under way, the next one last.
  private var stack: [String] = []
  private var isReadingList = false

  /// - Parameter readLine: the next line of the list, nil at its end.
  public init(_ arguments: [String], readLine: @escaping () -> String? = { Swift.readLine() }) {
    self.arguments = arguments[...]
    self.readLine = readLine
  }

  /// Whether the arguments may stand for other numbers of pictures than there are arguments.
  public static func isOpenEnded(_ arguments: [String]) -> Bool { arguments.contains { $0 == "-" || isFolder($0) } }

  /// The next path; nil after the last.
  public func next() -> String? {
    while true {
      if let path = stack.popLast() {
        guard Self.isFolder(path) else { return path }
        stack += Self.contents(of: path).reversed()
      } else if isReadingList {
        guard let line = readLine() else {
          isReadingList = false
          continue
        }
        if !line.isEmpty { stack = [line] }
      } else if let argument = arguments.popFirst() {
        if argument == "-" { isReadingList = true } else { stack = [argument] }
      } else {
        return nil
      }
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// Pictures and folders in a folder, by their bytes, so that the order doesn't depend on the machine's language. Hidden
  /// ones are left out, and links to folders, which may lead in circles.
  private static func contents(of folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    return names.filter { !$0.hasPrefix(".") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      .map { base + $0 }.filter { path in
        let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
        if isFolder(path) { return !isLink }
        return extensions.contains(URL(filePath: path).pathExtension.lowercased())
      }
  }
}
