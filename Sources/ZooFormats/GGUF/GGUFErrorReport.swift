import ZooCheckpoint

extension GGUFError: ReportableError {
  public var report: ErrorReport {
    ErrorReport(
      .badData, file: file, place: (name.map { "\($0), " } ?? "") + "at byte \(offset)", problem: problem,
      advice: advice)
  }

  private var problem: String {
    switch fault {
    case .version(let version): "GGUF version \(version), expected 1, 2 or 3"
    case .bigEndian: "is big-endian GGUF"
    case .truncated(let needed, let remaining): "needs \(needed) bytes, \(remaining) remain"
    case .count(let what, let found, let possible):
      "\(found) \(what) are announced, the rest of the file has room for \(possible)"
    case .valueType(let type): "a value of unknown type \(type)"
    case .nestedTooDeeply: "arrays nested too deeply"
    case .notUTF8: "a text that is not UTF-8"
    case .duplicate(let name): "\(name) stands twice"
    case .alignment(let alignment): "an alignment of \(alignment), expected a power of two from 8 to 65536"
    case .dimensions(let count): "\(count) dimensions, at most 4 are possible"
    case .tooLarge: "has more elements than can be addressed"
    case .blockSize(let row, let block): "rows of \(row) elements, expected a multiple of the block's \(block)"
    case .misaligned(let offset, let alignment): "data at \(offset), expected a multiple of \(alignment)"
    case .outside(let offset, let count, let size):
      "\(count) bytes at \(offset) of the data section, which has \(size)"
    case .overlap(let other): "its data overlaps that of \(other)"
    case .quantisations(let tensors):
      "has tensors in quantisations that aren't read: "
        + tensors.sorted { $0.key < $1.key }.map { type, names in
          "\(type) (\(names.prefix(3).joined(separator: ", "))\(names.count > 3 ? ", … \(names.count) in all" : ""))"
        }.joined(separator: ", ")
    case .noTensors: "holds no tensors"
    }
  }

  private var advice: String? {
    switch fault {
    case .version, .noTensors: nil
    case .bigEndian: "convert it with gguf-py's gguf_convert_endian"
    case .quantisations: "use a file in F16, BF16, Q8_0, Q6_K, Q5_K or Q4_K"
    default: "the file is damaged or cut short; download it again"
    }
  }
}
