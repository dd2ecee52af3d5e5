import TestSupport
import Testing

@testable import ZooText

/// Normalizers that stand by themselves, against Hugging Face's tokenizers.
@Suite struct NormalizerTests {
  @Test(arguments: [
    ("NFC", Normalizer.nfc), ("NFD", .nfd), ("NFKC", .nfkc), ("NFKD", .nfkd), ("Lowercase", .lowercase),
    ("StripAccents", .stripAccents),
  ])
  func tenThousandLinesEqualHuggingFaces(_ name: String, _ normalizer: Normalizer) throws {
    let blocks = try #require(Expected.normalizers?[name])
    try Expected.check(#require(Expected.lines), blocks, normalizer.normalize)
  }
}
