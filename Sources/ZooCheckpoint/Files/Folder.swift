import Foundation

/// Folders that things are put into.
public enum Folder {
  /// Makes a folder and those around it; one that is there stays as it is.
  ///
  /// - Throws: ``FileError/system(file:operation:code:)``.
  public static func make(_ path: String) throws(FileError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      let code = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError)?.code
      throw .system(file: path, operation: "create", code: code.map(Int32.init) ?? EIO)
    }
  }
}
