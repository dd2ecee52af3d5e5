import Testing

@testable import ZooFormats
