/// The program's version.
public enum ZooVersion {
  public static let current = "0.1.0"
}
