/// Why a folder of pictures and masks can't be learnt from.
public enum MaskDataError: Error, Sendable, Equatable {
  /// No pictures with masks are there in any known layout.
  case noMasks(folder: String)
  case noPictures(folder: String)
  case missingMask(picture: String, folder: String)
  case missingPicture(mask: String, folder: String)
  case size(mask: String, width: Int, height: Int, pictureWidth: Int, pictureHeight: Int)
  /// A number in a mask that is no class.
  case unknownClass(mask: String, x: Int, y: Int, number: Int, classes: Int)
  case tooManyClasses(file: String, classes: Int)
  case repeatedClass(file: String, line: Int, name: String)
  /// The masks hold a single class, besides what is ignored.
  case oneClass(folder: String, number: Int?)
  /// A data set that numbers the classes otherwise than the network.
  case otherClasses(file: String, number: Int, named: [String], known: [String])
  case headDisagrees(asked: Int, file: String, classes: Int)
}
