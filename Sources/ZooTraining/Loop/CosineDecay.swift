import Foundation

/// Rises along a line for the first twentieth of the steps, then falls to zero along half a cosine.
///
/// Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, without restarts.
struct CosineDecay {
  let highest: Double
  let steps: Int

  func rate(at step: Int) -> Double {
    let warmUp = max(steps / 20, 1)
    if step < warmUp { return highest * Double(step + 1) / Double(warmUp) }
    let progress = Double(step - warmUp) / Double(max(steps - warmUp, 1))
    return highest * 0.5 * (1 + cos(.pi * min(progress, 1)))
  }
}
