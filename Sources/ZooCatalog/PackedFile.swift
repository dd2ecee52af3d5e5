/// A file of the data folders as the build packed it into the program.
struct PackedFile: Sendable {
  /// Relative to the package, such as `zoo/resnet/resnet50.json`.
  let path: String
  let isBase64: Bool
  let text: String
}
