/// Steps that weigh, split and reorder channels.
extension GraphBuilder {
  /// Each channel of each picture times its gate; `gates` is [N, C, 1, 1].
  public mutating func gate(_ x: ValueID, by gates: ValueID) -> ValueID { add(.gate, [x, gates], name: "scale") }

  /// Some of the channels, in their order.
  public mutating func channels(_ range: Range<Int>, of x: ValueID) -> ValueID {
    add(.gatherChannels(Array(range)), [x], name: "split")
  }

  /// ShuffleNet's channel shuffle: of [groups, channels / groups] the transpose.
  public mutating func channelShuffle(_ x: ValueID, channels: Int, groups: Int) -> ValueID {
    let each = channels / groups
    return add(.gatherChannels((0..<channels).map { $0 % groups * each + $0 / groups }), [x], name: "shuffle")
  }
}
