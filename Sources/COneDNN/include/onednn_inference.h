// A chain of oneDNN primitives over one arena of memory. Swift decides what stands where; this file only calls oneDNN.
//
// Functions that can fail return a negative number; zoo_network_error() then says why.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct zoo_network zoo_network;

/// How a tensor's elements stand in memory.
typedef enum {
  ZOO_PLAIN,   // row-major: NCHW or NC
  ZOO_BLOCKED  // NCHW with blocks of zoo_channel_block() channels innermost
} zoo_layout;

typedef enum {
  ZOO_NO_ACTIVATION, ZOO_RELU, ZOO_RELU6, ZOO_SIGMOID, ZOO_SILU, ZOO_GELU, ZOO_HARD_SIGMOID, ZOO_HARD_SWISH, ZOO_TANH,
  ZOO_GELU_TANH
} zoo_activation;
typedef enum { ZOO_DIRECT, ZOO_WINOGRAD } zoo_algorithm;
typedef enum { ZOO_MAX, ZOO_AVERAGE_WITH_PADDING, ZOO_AVERAGE_WITHOUT_PADDING } zoo_pooling_kind;

/// A window's geometry: height first.
typedef struct {
  int64_t kernel[2], stride[2], dilation[2], before[2], after[2];
} zoo_window;

/// What follows an operation before its result is stored: the sum with what stands in the output, then the activation.
typedef struct {
  int32_t adds_output;
  zoo_activation activation;
} zoo_epilogue;

/// 16 where the processor has AVX-512, else 8.
int32_t zoo_channel_block(void);
/// Of the oneDNN that runs: major, minor and patch.
void zoo_onednn_version(int32_t version[3]);

/// NULL where oneDNN can't start. `threads` below 1 means as many as there are cores.
zoo_network *zoo_network_create(int32_t threads);
void zoo_network_destroy(zoo_network *network);
const char *zoo_network_error(const zoo_network *network);

/// Adds a tensor of rank 2 or 4 and returns its number.
int32_t zoo_network_add_tensor(zoo_network *network, int32_t rank, const int64_t *sizes, zoo_layout layout);
/// Bytes the tensor takes, padding included.
int64_t zoo_network_tensor_bytes(zoo_network *network, int32_t tensor);
/// Says where in the arena the tensor stands.
void zoo_network_place(zoo_network *network, int32_t tensor, int64_t offset);

/// Weights are [groups, outputs / groups, inputs / groups, height, width] row-major, bias [outputs] or NULL; both are
/// packed before the call returns.
int32_t zoo_network_add_convolution(
    zoo_network *network, int32_t input, int32_t output, const float *weights, const float *bias, int64_t groups,
    const zoo_window *window, zoo_algorithm algorithm, zoo_epilogue epilogue);
/// Whether oneDNN has nothing but its loop of reference for a convolution: 1 or 0; negative where it has not even that.
int32_t zoo_network_convolution_is_slow(
    zoo_network *network, int32_t input, int32_t output, int64_t groups, const zoo_window *window,
    zoo_epilogue epilogue);
/// Median seconds of a few runs of a convolution alone; negative where oneDNN lacks it.
double zoo_network_measure_convolution(
    zoo_network *network, int32_t input, int32_t output, int64_t groups, const zoo_window *window,
    zoo_algorithm algorithm, zoo_epilogue epilogue);
/// Weights [outputs, inputs] row-major, bias [outputs] or NULL.
int32_t zoo_network_add_linear(
    zoo_network *network, int32_t input, int32_t output, const float *weights, const float *bias, zoo_epilogue epilogue);
int32_t zoo_network_add_pooling(
    zoo_network *network, int32_t input, int32_t output, zoo_pooling_kind kind, const zoo_window *window);
int32_t zoo_network_add_activation(zoo_network *network, int32_t input, int32_t output, zoo_activation activation);
int32_t zoo_network_add_sum(zoo_network *network, int32_t first, int32_t second, int32_t output);
int32_t zoo_network_add_softmax(zoo_network *network, int32_t input, int32_t output);
/// Copies, changing the layout where the two differ.
int32_t zoo_network_add_reorder(zoo_network *network, int32_t input, int32_t output);
/// Average over PyTorch's adaptive windows, whose sizes differ where they don't divide; both tensors plain.
int32_t zoo_network_add_adaptive_average(zoo_network *network, int32_t input, int32_t output);

/// Normalises along `axis` by mean and biased variance, then scales and shifts; `scale` and `shift` have its size and are
/// copied. Both tensors plain, or both blocked with axis 1.
int32_t zoo_network_add_layer_normalization(zoo_network *network, int32_t input, int32_t output, int32_t axis,
                                            const float *scale, const float *shift, float epsilon);
/// Pictures at the output's height and width, bilinear between pixels' centres; both tensors blocked.
int32_t zoo_network_add_resize(zoo_network *network, int32_t input, int32_t output);
/// Multiplies every channel by one factor a pixel, height × width of them; both tensors blocked.
int32_t zoo_network_add_pixel_scale(zoo_network *network, int32_t input, int32_t output, const float *factors);
/// Tensors of one layout side by side along `axis`.
int32_t zoo_network_add_concatenation(zoo_network *network, int32_t count, const int32_t *inputs, int32_t output,
                                      int32_t axis);

/// Multiplies each channel of each picture by its gate, [N, C, 1, 1]; all blocked. The output may stand where the input
/// stands.
int32_t zoo_network_add_gate(zoo_network *network, int32_t input, int32_t gates, int32_t output);
/// Channel i of the output is channel `channels[i]` of the inputs side by side; all blocked.
int32_t zoo_network_add_channel_gather(zoo_network *network, int32_t count, const int32_t *inputs, int32_t output,
                                       const int32_t *channels);

/// oneDNN's name of the kernel behind a step.
const char *zoo_network_step_kernel(const zoo_network *network, int32_t step);

/// Takes the arena; no tensor or step may be added afterwards.
int32_t zoo_network_finish(zoo_network *network, int64_t arena_bytes);
/// Bytes of packed weights, arena and scratch memory.
int64_t zoo_network_memory(const zoo_network *network);
/// Runs every step. `input` and each of `outputs` stand in for the tensors of those numbers and are row-major.
int32_t zoo_network_run(
    zoo_network *network, int32_t input_tensor, const float *input, int32_t output_count,
    const int32_t *output_tensors, float *const *outputs);

#ifdef __cplusplus
}
#endif
