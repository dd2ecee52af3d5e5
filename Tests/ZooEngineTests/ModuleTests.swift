import Testing

@testable import ZooEngine
