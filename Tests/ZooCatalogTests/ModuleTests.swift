import Testing

@testable import ZooCatalog
