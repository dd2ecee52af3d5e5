/// What the sandboxed libhdf5 finds in a file: its structure, and where the bytes stand. No bytes but small ones.
struct HDF5Index: Decodable, Sendable {
  struct Object: Decodable, Sendable {
    let path: String
    /// Attributes that are strings; others have no value.
    let attributes: [String: Attribute?]
    /// nil for a group.
    let dataset: Dataset?
  }

  struct Attribute: Decodable, Sendable {
    let strings: [String]
  }

  struct Dataset: Decodable, Hashable, Sendable {
    /// `float`, `bfloat`, `signed`, `unsigned`, `bool`, `opaque`, `string`, `other`.
    let kind: String
    /// Bytes of an element.
    let size: Int
    let bigEndian: Bool
    let shape: [Int]
    /// `contiguous`, `chunked`, `compact`; nil for a dataset without space.
    let layout: String?
    /// Where contiguous bytes start; nil where nothing was ever written.
    let offset: Int?
    let count: Int?
    let bytes: [UInt8]?
    /// Bytes of an element that was never written; nil for zero.
    let fill: [UInt8]?
    /// Shape of a chunk.
    let chunk: [Int]?
    /// HDF5's filter numbers, first applied first.
    let filters: [Int]?
    let chunks: [Chunk]?
  }

  struct Chunk: Decodable, Hashable, Sendable {
    let offset: Int
    let count: Int
    /// Bit i: filter i was left out.
    let mask: UInt32
    /// The chunk's first element.
    let at: [Int]
  }

  let objects: [Object]
}

extension HDF5Index.Object {
  func strings(_ attribute: String) -> [String]? { attributes[attribute]??.strings }
}
