/// What a checkpoint carries beside the weights: an optimizer's state, an epoch.
public struct KeptEntries: Codable, Sendable, Equatable {
  /// Names of tensors that are no weights: `optimizer.state.0.exp_avg`.
  public var tensors: [String] = []
  /// Numbers and texts by name: `optimizer.param_groups.0.lr`.
  public var values: [String: KeptValue] = [:]

  public init(tensors: [String] = [], values: [String: KeptValue] = [:]) {
    self.tensors = tensors
    self.values = values
  }

  public var isEmpty: Bool { tensors.isEmpty && values.isEmpty }
}

/// A value without a tensor.
public enum KeptValue: Codable, Sendable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int)
  /// Finite; JSON has no others.
  case number(Double)
  case text(String)

  /// As Python spells it, long texts cut short.
  public var summary: String {
    switch self {
    case .null: "None"
    case .boolean(let value): value ? "True" : "False"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let text): "'\(text.prefix(40))\(text.count > 40 ? "…" : "")'"
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .boolean(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    }
  }
}
