#ifndef ZOO_FUZZER_H
#define ZOO_FUZZER_H
#include <stddef.h>
#include <stdint.h>

// libFuzzer's interface (https://llvm.org/docs/LibFuzzer.html), which comes with the compiler without a header.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);
#endif
