import Foundation

/// What a model's configuration says about the order of its data; nothing in it is built or run.
struct KerasConfiguration {
  /// Whether `Flatten` runs over pictures channel by channel. Since Keras 2.2 it turns them first, whatever their order,
  /// and says so by a `data_format` of its own.
  let flattensByChannel: Bool

  private static let largest = 64 << 20

  /// - Parameter text: `model_config` of a whole model; nil where the file has none.
  init(_ text: String?) {
    guard let text, text.utf8.count <= Self.largest,
      let root = try? JSONSerialization.jsonObject(with: Data(text.utf8))
    else {
      flattensByChannel = false
      return
    }
    var (isChannelsFirst, turns, flattens) = (false, false, false)
    var pending = [root]
    while let value = pending.popLast() {
      if let list = value as? [Any] { pending += list }
      guard let object = value as? [String: Any] else { continue }
      pending += object.values
      guard let config = object["config"] as? [String: Any] else { continue }
      let format = config["data_format"] as? String
      if object["class_name"] as? String == "Flatten" {
        flattens = true
        turns = turns || format != nil
      } else {
        isChannelsFirst = isChannelsFirst || format == "channels_first"
      }
    }
    flattensByChannel = isChannelsFirst && flattens && !turns
  }
}
