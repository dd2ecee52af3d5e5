import ZooGraph

/// Who makes and who reads each value of a network, looked up once for all nodes.
struct Links {
  private let nodes: [Node]
  private let producers: [ValueID: Int]
  private let consumers: [ValueID: [Int]]
  private let outputs: [ValueID]

  init(_ network: Network) {
    nodes = network.graph.nodes
    producers = network.producers
    consumers = network.consumers
    outputs = network.graph.outputs
  }

  /// The index of the node that makes `value`, where one node alone reads it.
  func soleProducer(of value: ValueID) -> Int? { soleReader(of: value).flatMap { _ in producers[value] } }

  /// The index of the only node that reads `value`.
  func soleReader(of value: ValueID) -> Int? {
    guard let readers = consumers[value], readers.count == 1, !outputs.contains(value) else { return nil }
    return readers.first
  }

  /// The convolution without epilogue that makes `value`, where one node alone reads it.
  func soleConvolution(making value: ValueID) -> (index: Int, convolution: Convolution)? {
    guard let index = soleProducer(of: value), case .convolution(let convolution) = nodes[index].operation,
      convolution.epilogue.isEmpty
    else { return nil }
    return (index, convolution)
  }

  func isDefined(_ value: ValueID, before index: Int) -> Bool { producers[value].map { $0 < index } ?? true }
}
