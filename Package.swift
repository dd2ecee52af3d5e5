// swift-tools-version: 6.1
import PackageDescription

/// `ZOO_FUZZ=1` builds all that reads untrusted bytes with libFuzzer's instrumentation, and the fuzzer (`make fuzz`).
let isFuzzed = Context.environment["ZOO_FUZZ"] != nil
let swiftFuzzing: [SwiftSetting] = isFuzzed ? [.unsafeFlags(["-sanitize=fuzzer"])] : []
let cFuzzing: [CSetting] = isFuzzed ? [.unsafeFlags(["-fsanitize=fuzzer-no-link"])] : []

/// Each Zoo module is a product, so that a server or tool can import just what it needs.
let modules = [
  "ZooCheckpoint", "ZooFormats", "ZooCatalog", "ZooGraph", "ZooEngine", "ZooVision", "ZooONNX", "ZooONNXProgram",
  "ZooConvert", "ZooInference", "ZooExport", "ZooDownload", "ZooStore",
  "ZooTraining", "ZooText",
]

let package = Package(
  name: "zoo",
  products: [.executable(name: "zoo", targets: ["zoo"])]
    + modules.map { .library(name: $0, targets: [$0]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .target(name: "CPNG", linkerSettings: [.linkedLibrary("png16")]),
    .systemLibrary(name: "CLibWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"])]),
    .systemLibrary(name: "CHDF5Library", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    .target(name: "CText", cSettings: cFuzzing),
    .target(name: "CHDF5", dependencies: ["CHDF5Library", "CText"], cSettings: cFuzzing),
    .target(
      name: "COnnx", dependencies: ["CText"], exclude: ["onnx.proto"], cSettings: cFuzzing,
      linkerSettings: [.linkedLibrary("protobuf-c")]),
    .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl"), .linkedLibrary("gomp")]),
    .target(name: "CKernels"),
    .target(
      name: "ZooCheckpoint",
      dependencies: [
        "CKernels",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "OrderedCollections", package: "swift-collections"),
      ], swiftSettings: swiftFuzzing),
    .target(
      name: "ZooFormats",
      dependencies: [
        "ZooCheckpoint", "CKernels", "CZlib", .product(name: "OrderedCollections", package: "swift-collections"),
      ], swiftSettings: swiftFuzzing),
    .target(
      name: "ZooCatalog",
      dependencies: ["ZooCheckpoint", "ZooGraph"], swiftSettings: swiftFuzzing,
      plugins: ["CatalogPlugin"]),
    .target(
      name: "ZooONNX", dependencies: ["ZooCheckpoint", "ZooFormats", "ZooCatalog", "ZooGraph", "ZooONNXProgram"]),
    .target(name: "ZooONNXProgram", dependencies: ["ZooCheckpoint", "ZooFormats", "COneDNN"]),
    .target(
      name: "ZooInference",
      dependencies: [
        "ZooCheckpoint", "ZooONNX", "ZooONNXProgram", "ZooFormats", "ZooCatalog", "ZooGraph", "ZooEngine", "ZooVision",
        "ZooText",
      ]),
    .target(
      name: "ZooConvert",
      dependencies: [
        "ZooCheckpoint", "ZooONNX", "ZooFormats", "ZooCatalog", "ZooGraph", "ZooEngine", "ZooInference", "ZooText",
      ]),
    .target(name: "ZooDownload", dependencies: ["ZooCheckpoint", "CCurl"]),
    .target(name: "ZooStore", dependencies: ["ZooCheckpoint", "ZooCatalog", "ZooConvert", "ZooDownload", "ZooText"]),
    .target(
      name: "ZooExport",
      dependencies: [
        "ZooCheckpoint", "ZooONNX", "ZooFormats", "ZooCatalog", "ZooGraph", "ZooConvert", "CZlib",
        "CHDF5", .product(name: "OrderedCollections", package: "swift-collections"),
      ]),
    .target(name: "ZooGraph", dependencies: ["ZooCheckpoint"]),
    .target(name: "ZooEngine", dependencies: ["ZooCheckpoint", "ZooGraph", "COneDNN"]),
    .target(name: "ZooVision", dependencies: ["ZooCheckpoint", "CKernels", "CTurboJPEG", "CPNG", "CLibWebP"]),
    .target(
      name: "ZooTraining",
      dependencies: ["ZooCheckpoint", "ZooGraph", "ZooEngine", "ZooVision", "ZooCatalog", "ZooInference", "ZooText"]),
    .target(
      name: "ZooText",
      dependencies: ["ZooCheckpoint", .product(name: "HeapModule", package: "swift-collections")],
      swiftSettings: swiftFuzzing),
    .target(name: "ZooWorker", dependencies: ["ZooFormats", "CHDF5", "COnnx", "CSeccomp"]),
    .executableTarget(
      name: "zoo",
      dependencies: ["ZooWorker"] + modules.map { .byName(name: $0) } + [
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "parity-runner",
      dependencies: [
        "ZooCheckpoint", "ZooCatalog", "ZooGraph", "ZooEngine", "ZooFormats", "ZooONNXProgram", "ZooTraining",
      ]),
    .executableTarget(name: "demo-network-maker", dependencies: ["ZooTraining"]),
    .executableTarget(name: "catalog-packer"),
    .plugin(
      name: "CatalogPlugin", capability: .buildTool(), dependencies: ["catalog-packer"], path: "Sources/CatalogPlugin"),
  ]
    + modules.map {
      .testTarget(name: "\($0)Tests", dependencies: [.byName(name: $0), "TestSupport"])
    } + [
      .target(name: "TestSupport", dependencies: ["ZooCheckpoint", "ZooVision"], path: "Tests/TestSupport"),
      .testTarget(name: "EndToEndTests", dependencies: ["zoo", "TestSupport"]),
      .target(
        name: "FuzzTargets",
        dependencies: [
          "ZooFormats", "ZooCheckpoint", "ZooText", "ZooCatalog", "ZooGraph", "ZooONNX", "CHDF5", "COnnx", "CZlib",
          "CIsolation",
        ],
        path: "Tests/Fuzz/Targets"),
      .target(name: "CIsolation", dependencies: ["CText"], path: "Tests/Fuzz/Isolation"),
      .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"]),
    ]
    + (isFuzzed
      ? [
        .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer/include"),
        .executableTarget(
          name: "zoo-fuzz", dependencies: ["FuzzTargets", "CFuzzer"], path: "Tests/Fuzz/Driver",
          linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
      ] : []),
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11,
  cxxLanguageStandard: .cxx17
)
