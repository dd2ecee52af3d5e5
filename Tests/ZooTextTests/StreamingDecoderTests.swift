import Foundation
import TestSupport
import Testing

@testable import ZooText

/// Tokens of one byte each, so that every character comes in parts.
@Suite struct StreamingDecoderTests {
  private static let tokenizer: Tokenizer = {
    var vocabulary = Vocabulary()
    for (byte, piece) in ByteLevel.spelled.enumerated() { vocabulary.add(piece, byte) }
    var tokenizer = Tokenizer(model: .bytePairs(BytePairEncoding(vocabulary: vocabulary), isByteLevel: true))
    tokenizer.decoder = .byteLevel
    return tokenizer
  }()

  private func parts(_ bytes: [UInt8]) throws -> [String] {
    var decoder = StreamingDecoder(Self.tokenizer)
    return try bytes.map { try decoder.append(Int($0)) } + [decoder.finish()]
  }

  @Test func aCharacterComesWithItsLastByte() throws {
    #expect(try parts(Array("a😀é".utf8)) == ["a", "", "", "", "😀", "", "é", ""])
    #expect(try parts(Array("€".utf8.prefix(2))) == ["", "", "\u{FFFD}"])
  }

  /// What can begin no character is given at once.
  @Test func bytesThatBeginNoCharacterAreNotHeld() throws {
    #expect(try parts([0xED, 0xA0, 0x61]).joined() == "\u{FFFD}\u{FFFD}a")
    #expect(try parts([0xED, 0xA0])[1] == "\u{FFFD}\u{FFFD}")
    #expect(try parts([0xC0, 0xF5, 0x80]) == ["\u{FFFD}", "\u{FFFD}", "\u{FFFD}", ""])
    #expect(try parts([0xE2, 0x82, 0x61]) == ["", "", "\u{FFFD}a", ""])
  }

  /// Beginnings of every kind of sequence, sound and broken, come out as the repair of the whole does.
  @Test func everyPairOfLeadAndSecondByteEqualsTheWhole() throws {
    for first in UInt8(0x7F)...0xFF {
      for second in UInt8(0x7F)...0xFF {
        for tail in [[], [0x80], [0x80, 0x80], [0x80, 0x41]] as [[UInt8]] {
          let bytes = [first, second] + tail
          #expect(try parts(bytes).joined() == String(decoding: bytes, as: UTF8.self))
        }
      }
    }
  }

  @Test func anUnknownIDLeavesWhatCameBefore() throws {
    var decoder = StreamingDecoder(Self.tokenizer)
    #expect(try decoder.append(0xC3) == "")
    #expect(throws: TokenizerError.unknownID(id: 256, size: 256)) { try decoder.append(256) }
    #expect(try decoder.append(0xA9) == "é")
  }

  /// The first piece of a text loses its space, and that of the next text does.
  @Test func afterTheEndATextBeginsAnew() throws {
    let tokenizer = try Tokenizer(file: Fixture.path("text/t5/tokenizer.json"))
    var decoder = StreamingDecoder(tokenizer)
    for _ in 0..<2 {
      let ids = tokenizer.encode("the fox").ids
      #expect(try ids.map { try decoder.append($0) }.joined() + decoder.finish() == "the fox")
    }
  }
}
