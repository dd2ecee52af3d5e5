import Testing

@testable import ZooGraph
