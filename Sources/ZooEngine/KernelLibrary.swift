import COneDNN

/// The library behind the engine's kernels.
public enum KernelLibrary {
  /// With its version: `oneDNN 2.6.3`.
  public static var name: String {
    var version: [Int32] = [0, 0, 0]
    zoo_onednn_version(&version)
    return "oneDNN " + version.map(String.init).joined(separator: ".")
  }
}
