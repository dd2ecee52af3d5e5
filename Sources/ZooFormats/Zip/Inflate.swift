import CZlib

/// Unpacks a raw deflate stream into a buffer of exactly the size expected.
///
/// - Returns: bytes produced; less than the buffer, or one more, where the stream ends early, late or is damaged.
func inflateRaw(_ compressed: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
  inflateStream(compressed, into: target, windowBits: -MAX_WBITS)
}

/// As ``inflateRaw(_:into:)``, for a stream with zlib's header where `windowBits` is positive.
///
/// - Parameter allowsShorter: whether a stream that ends before the buffer is full gives its length even so; damage then
///   gives -1.
func inflateStream(
  _ compressed: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, windowBits: Int32,
  allowsShorter: Bool = false
) -> Int {
  var stream = z_stream()
  guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
    return allowsShorter ? -1 : 0
  }
  defer { inflateEnd(&stream) }
  // zlib's counters are 32 bits wide, so both sides go in pieces.
  let piece = 1 << 30
  var (consumed, produced) = (0, 0)
  var spare: UInt8 = 0
  return withUnsafeMutablePointer(to: &spare) { spare in
    while true {
      let source = UnsafeMutableRawPointer(mutating: compressed.baseAddress)?.advanced(by: consumed)
      stream.next_in = source?.assumingMemoryBound(to: Bytef.self)
      stream.avail_in = uInt(min(piece, compressed.count - consumed))
      let room = min(piece, target.count - produced)
      let isFull = room == 0
      stream.next_out = isFull ? spare : target.baseAddress?.advanced(by: produced).assumingMemoryBound(to: Bytef.self)
      stream.avail_out = uInt(isFull ? 1 : room)
      let (before, roomBefore) = (stream.avail_in, stream.avail_out)
      let status = inflate(&stream, Z_NO_FLUSH)
      consumed += Int(before - stream.avail_in)
      produced += Int(roomBefore - stream.avail_out)
      if status == Z_STREAM_END { return consumed == compressed.count ? produced : target.count + 1 }
      let isStuck = before == stream.avail_in && roomBefore == stream.avail_out
      if status != Z_OK || isStuck || produced > target.count {
        // A full buffer is no success without the stream's end.
        return allowsShorter ? -1 : produced >= target.count ? target.count + 1 : produced
      }
    }
  }
}
