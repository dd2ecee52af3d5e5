import Foundation
import ZooTraining

// Usage: swift run -c release demo-network-maker zoo/demo/shapes.safetensors
//
// Draws pictures of ten kinds of shapes from a fixed seed, trains the demo's network on them with this engine and writes
// it in half precision.

guard let path = CommandLine.arguments.dropFirst().first else {
  FileHandle.standardError.write(Data("usage: demo-network-maker OUTPUT\n".utf8))
  exit(64)
}
let folder = NSTemporaryDirectory() + "/demo-network-\(ProcessInfo.processInfo.processIdentifier)"
defer { try? FileManager.default.removeItem(atPath: folder) }
do {
  let accuracy = try DemoNetwork.make(folder: folder, to: path) { event in
    if case .epoch(let record, _) = event {
      print("epoch \(record.epoch): loss \(record.trainingLoss), validation accuracy \(record.validationScore)")
    }
  }
  print("validation accuracy \(accuracy)")
} catch {
  FileHandle.standardError.write(Data("demo-network-maker: \(error)\n".utf8))
  exit(74)
}
