import Testing
import ZooCheckpoint

@Suite struct CRC32CTests {
  /// RFC 3720, B.4.
  @Test(arguments: [
    (Array("123456789".utf8), UInt32(0xE306_9283)), ([UInt8](repeating: 0, count: 32), UInt32(0x8A91_36AA)),
  ])
  func checksumsAreThoseOfTheStandard(bytes: [UInt8], checksum: UInt32) {
    let masked = bytes.withUnsafeBytes(CRC32C.masked)
    let rotated = masked &- 0xA282_EAD8
    #expect(rotated << 15 | rotated >> 17 == checksum)
  }
}
