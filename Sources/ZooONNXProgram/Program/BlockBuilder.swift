/// Collects a block's steps and finds out after which of them each value is read no more.
struct BlockBuilder {
  var block = Block()
  private var lastUse: [Int: Int] = [:]

  mutating func append(_ step: Step) {
    let index = block.steps.count
    for place in step.inputs.compactMap({ $0 }) { use(place, index) }
    for body in step.bodies.values {
      for place in body.captured { use(place, index) }
    }
    for place in step.outputs.compactMap({ $0 }) {
      block.own.insert(place)
      lastUse[place] = index
    }
    block.steps.append(step)
  }

  private mutating func use(_ place: Int, _ index: Int) {
    if block.own.contains(place) { lastUse[place] = index } else { block.captured.insert(place) }
  }

  func finished() -> Block {
    var block = block
    let outputs = Set(block.outputs)
    block.captured.formUnion(outputs.subtracting(block.own))
    block.releases = [[Int]](repeating: [], count: block.steps.count)
    for (place, index) in lastUse where !outputs.contains(place) { block.releases[index].append(place) }
    return block
  }
}
