#ifndef ZOO_ONNX_INDEX_H
#define ZOO_ONNX_INDEX_H
#include "growing_text.h"

/// Lists the ONNX model that `image` holds as JSON (see ONNXIndex in ZooFormats): nodes, attributes, and where each
/// tensor's data stands in the image. On failure `problem` says why. Returns 0 when all is listed.
int zoo_onnx_index(const void *image, size_t size, zoo_text *json, zoo_text *problem);
#endif
