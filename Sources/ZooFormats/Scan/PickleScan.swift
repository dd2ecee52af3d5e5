import ZooCheckpoint

extension ContentScan {
  /// Pickles one behind the other from the file's start.
  ///
  /// - Parameters:
  ///   - count: how many the format has.
  ///   - isWhole: whether nothing may follow them.
  mutating func scanPickles(_ file: MappedFile, count: Int, isWhole: Bool) {
    _ = try? file.withBytes(offset: 0, count: file.count) { bytes in
      var place = 0
      for _ in 0..<count {
        guard let end = scanPickle(bytes, at: place, member: nil) else { return }
        place = end
      }
      if isWhole { scanBehind(bytes, from: place, member: nil) }
    }
  }

  /// One pickle: what it calls, what it needs, where it breaks off.
  ///
  /// - Returns: where it ends; nil where it breaks off.
  @discardableResult
  mutating func scanPickle(_ bytes: UnsafeRawBufferPointer, at offset: Int, member: String?) -> Int? {
    let survey = PickleSurvey(bytes, at: offset, file: path, member: member)
    report(survey, member: member)
    if let error = survey.error {
      add(ScanFinding(.malformed, .brokenPickle, place: error.report.place, error.report.problem))
    }
    return survey.end
  }

  /// What stands behind a pickle's end: another one runs where a program reads on, and hides from scanners that don't.
  mutating func scanBehind(_ bytes: UnsafeRawBufferPointer, from start: Int, member: String?) {
    var place = start
    for _ in 0..<64 where place < bytes.count {
      let survey = PickleSurvey(bytes, at: place, file: path, member: member)
      let spot = Self.place(member, place)
      guard survey.isConvincing || survey.error == nil else {
        return add(
          ScanFinding(.suspicious, .trailingBytes, place: spot, "\(bytes.count - place) bytes follow the end"))
      }
      add(ScanFinding(.suspicious, .trailingPickle, place: spot, "another pickle follows the first"))
      report(survey, member: member)
      guard let end = survey.end else { return }
      place = end
    }
  }

  /// Bytes that may be a pickle under another name.
  mutating func scanHidden(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0, member: String) {
    guard bytes.count > offset + 2, Self.mayBePickle(bytes[offset], bytes[offset + 1]) else { return }
    let survey = PickleSurvey(bytes, at: offset, file: path, member: member)
    guard survey.isConvincing else { return }
    add(ScanFinding(.suspicious, .hiddenPickle, place: Self.place(member, offset), "is a pickle under another name"))
    report(survey, member: member)
  }

  /// PROTO of protocols 2 to 5, or what protocols 0 and 1 begin with: a name, a mark, an empty container.
  private static func mayBePickle(_ first: UInt8, _ second: UInt8) -> Bool {
    first == 0x80 ? (2...5).contains(second) : [0x63, 0x28, 0x7D, 0x5D, 0x29].contains(first)
  }

  private static func place(_ member: String?, _ offset: Int) -> String {
    (member.map { $0 + " " } ?? "") + "at byte \(offset)"
  }

  private mutating func report(_ survey: PickleSurvey, member: String?) {
    var told: Set<String> = []
    for global in survey.globals where global.isDangerous && told.insert(global.name).inserted {
      let spot = Self.place(member, global.offset)
      if let call = survey.calls.first(where: { $0.isDangerous && $0.name == global.name }) {
        add(ScanFinding(.dangerous, .codeRunningCall, place: spot, "calls \(call.name)\(call.arguments)"))
      } else {
        add(ScanFinding(.dangerous, .codeRunningName, place: spot, "names \(global.name), which runs code when called"))
      }
    }
    let unknown = Set(survey.globals.filter { !$0.isDangerous && !KnownCallables.contains($0.name) }.map(\.name))
    guard !unknown.isEmpty else { return }
    let names = unknown.count == 1 ? "a name" : "names"
    let list = unknown.sorted().prefix(12).joined(separator: ", ") + (unknown.count > 12 ? ", …" : "")
    add(
      ScanFinding(
        .suspicious, .unknownCallable, place: member, "imports \(names) that zoo doesn't know: \(list)"))
  }
}
