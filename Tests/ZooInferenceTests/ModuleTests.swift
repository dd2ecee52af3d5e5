import Testing

@testable import ZooInference
