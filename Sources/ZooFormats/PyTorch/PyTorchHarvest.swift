import ZooCheckpoint

/// Takes the state dict out of a PyTorch pickle.
struct PyTorchHarvest {
  let file: MappedFile
  let document: PickleDocument
  let options: ReadOptions

  /// Refuses a pickle that would run code, naming the first callable.
  ///
  /// - Throws: ``PyTorchError``.
  func refuseDangerousCallables(member: String?) throws(PyTorchError) {
    guard !options.salvage, let global = document.globals.first(where: \.isDangerous) else { return }
    throw PyTorchError(
      file: file.path, place: (member.map { "\($0) " } ?? "") + "at byte \(global.offset)",
      fault: .dangerousCallable(name: global.name))
  }

  /// - Throws: ``PyTorchError``, ``FileError``.
  func weightFile(format: WeightFormat, source: any StorageSource) throws -> (WeightFile, any StorageSource) {
    let reach = TensorReach(document.heap)
    let wrapper = Wrapper(document, reach: reach)
    let root = options.unwraps ? wrapper.root : document.root
    guard reach.contains(root) else {
      throw PyTorchError(
        file: file.path, place: nil, fault: .noTensors(root: document.heap.describe(document.root)))
    }
    var walk = StateDictWalk(heap: document.heap, reach: reach)
    do throws(PyTorchFault) { try walk.run(from: root) } catch {
      throw PyTorchError(file: file.path, place: nil, fault: error.fault)
    }
    var stateDict = StateDict(versions: walk.versions)
    var skipped = (options.unwraps ? wrapper.skipped : []) + walk.skipped
    var rebuilder = TensorRebuilder(heap: document.heap, source: source)
    for (name, index) in walk.found {
      do {
        stateDict[name] = try rebuilder.tensor(index)
      } catch let fault as PyTorchFault {
        let error = PyTorchError(file: file.path, place: name, fault: fault.fault)
        guard options.salvage else { throw error }
        skipped.append(SkippedEntry(name: name, reason: error.report.problem))
      }
    }
    guard stateDict.count > 0 else {
      throw PyTorchError(file: file.path, place: nil, fault: .noTensors(root: "tensors that can't be read"))
    }
    try refuseExpansion(stateDict)
    var path = options.unwraps ? wrapper.path : []
    if options.unwraps { path += StateDictPrefix.strip(&stateDict) }
    var weightFile = WeightFile(
      path: file.path, format: format, stateDict: stateDict,
      wrapper: path.isEmpty ? nil : path.joined(separator: ", "), skipped: skipped, globals: document.globals)
    for (name, value) in options.unwraps ? wrapper.beside.prefix(Self.largestSideCount) : [] {
      weightFile.sides.append(side(name, value, reach: reach, rebuilder: &rebuilder))
      try refuseExpansion(weightFile.sides[weightFile.sides.count - 1].tensors)
    }
    let carried = Set(weightFile.sides.filter(\.isRead).map(\.name))
    weightFile.skipped.removeAll { carried.contains($0.name) }
    return (weightFile, rebuilder.source)
  }

  /// Views may repeat elements (stride 0) and each other; a thousandfold of the file is a bomb.
  private func refuseExpansion(_ stateDict: StateDict) throws(PyTorchError) {
    let limit = max(file.count, 1 << 18) &* 1000
    var sum = 0
    for tensor in stateDict.tensors.values {
      let (next, overflowed) = sum.addingReportingOverflow(tensor.byteCount)
      guard !overflowed, next <= limit else {
        throw PyTorchError(
          file: file.path, place: nil, fault: .expandsTooFar(bytes: overflowed ? .max : next, limit: limit))
      }
      sum = next
    }
  }

  /// More than any training script saves; each costs a walk.
  private static let largestSideCount = 256

  /// What stands beside the weights under a name; its tensors are made only where they are to be kept.
  private func side(
    _ name: String, _ value: PickleValue, reach: TensorReach, rebuilder: inout TensorRebuilder
  ) -> SideEntry {
    var entry = SideEntry(name: name, summary: document.heap.summary(value))
    guard reach.contains(value) || options.keeping.includes(entry) else { return entry }
    var walk = StateDictWalk(heap: document.heap, reach: reach)
    guard (try? walk.run(from: value)) != nil else {
      entry.summary = "nested too deeply to be read"
      return entry
    }
    entry.tensorCount = walk.found.count
    guard options.keeping.includes(entry) else { return entry }
    entry.isRead = true
    for (inner, index) in walk.found {
      let isItself = if case .node(let own) = value { own == index } else { false }
      let full = isItself ? name : "\(name).\(inner)"
      if let tensor = try? rebuilder.tensor(index) {
        entry.tensors[full] = tensor
      } else {
        entry.unreadable.append(full)
      }
    }
    entry.values = document.heap.scalars(value, named: name)
    return entry
  }
}
