/// What a run is told beside its recipe; none of it changes what is learnt.
public struct RunOptions: Sendable {
  /// Shown in the report.
  public var command = ""
  /// nil for one a core.
  public var threads: Int?
  /// Seconds between two saves of the state; 0 saves after every step.
  public var saveInterval = 10.0
  /// Whether the curves are also written for TensorBoard, into the run's folder.
  public var writesTensorBoard = false

  public init() {}
}
