import Testing

@testable import ZooConvert
