import Testing

@testable import ZooTraining
