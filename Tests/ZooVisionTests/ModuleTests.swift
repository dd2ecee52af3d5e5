import Testing

@testable import ZooVision
