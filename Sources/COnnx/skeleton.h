#ifndef ZOO_ONNX_SKELETON_H
#define ZOO_ONNX_SKELETON_H
#include <stddef.h>
#include <stdint.h>

typedef struct skeleton {
  const uint8_t *image;
  size_t size;
  uint8_t *bytes;
  size_t count, capacity;
  /// Nodes, attributes, tensors and graphs so far.
  size_t messages;
  /// What is wrong and where, once something is.
  const char *problem;
  size_t place;
} skeleton;

/// Copies the model without its tensors' data, which `payload` fields stand for; protobuf-c would copy every byte of it.
/// Returns 0, or -1 with `problem` set.
int zoo_onnx_skeleton(skeleton *skeleton);
#endif
