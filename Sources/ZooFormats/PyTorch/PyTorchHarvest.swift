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
    let weightFile = WeightFile(
      path: file.path, format: format, stateDict: stateDict,
      wrapper: path.isEmpty ? nil : path.joined(separator: ", "), skipped: skipped, globals: document.globals)
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
}
