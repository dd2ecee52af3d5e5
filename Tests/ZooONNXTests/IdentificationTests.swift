import Testing

@testable import ZooONNX
