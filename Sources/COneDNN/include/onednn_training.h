// Forward and backward passes of a network over oneDNN. Values are channel-blocked pictures or row-major matrices;
// parameters and their gradients are two flat row-major buffers, addressed by offsets in floats.
//
// Functions that can fail return a negative number; zoo_trainer_error() then says why.
#pragma once
#include "onednn_inference.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct zoo_trainer zoo_trainer;

/// Where a layer's parameters stand in the flat buffer; -1 for one that it lacks.
typedef struct {
  int64_t weight, bias;
  /// Which of them want gradients.
  int32_t weight_trains, bias_trains;
} zoo_parameters;

/// Memory that the trainers of one network share, of which one runs at a time; it must outlive them.
typedef struct zoo_arena zoo_arena;
zoo_arena *zoo_arena_create(void);
void zoo_arena_destroy(zoo_arena *arena);

zoo_trainer *zoo_trainer_create(int32_t threads, zoo_arena *arena);
void zoo_trainer_destroy(zoo_trainer *trainer);
const char *zoo_trainer_error(const zoo_trainer *trainer);

/// Adds a value of rank 2 or 4; `wants_gradient` where something trainable stands before it.
int32_t zoo_trainer_add_tensor(zoo_trainer *trainer, int32_t rank, const int64_t *sizes, int32_t wants_gradient);

/// Layers, in the order in which they run.
int32_t zoo_trainer_add_convolution(zoo_trainer *trainer, int32_t input, int32_t output, zoo_parameters parameters,
                                    int64_t groups, const zoo_window *window);
int32_t zoo_trainer_add_linear(zoo_trainer *trainer, int32_t input, int32_t output, zoo_parameters parameters);
/// Running mean and variance stand at `mean` and `variance` of the buffers; with `uses_batch` they are updated with
/// PyTorch's momentum (unbiased variance) and the batch's own are used. With `rectifies` ReLU follows.
int32_t zoo_trainer_add_batch_normalization(zoo_trainer *trainer, int32_t input, int32_t output,
                                            zoo_parameters parameters, int64_t mean, int64_t variance, float epsilon,
                                            float momentum, int32_t uses_batch, int32_t rectifies);
int32_t zoo_trainer_add_pooling(zoo_trainer *trainer, int32_t input, int32_t output, zoo_pooling_kind kind,
                                const zoo_window *window);
int32_t zoo_trainer_add_activation(zoo_trainer *trainer, int32_t input, int32_t output, zoo_activation activation);
int32_t zoo_trainer_add_sum(zoo_trainer *trainer, int32_t first, int32_t second, int32_t output);
int32_t zoo_trainer_add_flatten(zoo_trainer *trainer, int32_t input, int32_t output);
/// Zeroes values with the given probability and scales the others up; the choice depends on the step's seed alone.
int32_t zoo_trainer_add_dropout(zoo_trainer *trainer, int32_t input, int32_t output, float probability);
int32_t zoo_trainer_add_adaptive_average(zoo_trainer *trainer, int32_t input, int32_t output);

/// Side by side along the channels of pictures or the columns of matrices.
int32_t zoo_trainer_add_concatenation(zoo_trainer *trainer, int32_t count, const int32_t *inputs, int32_t output);
/// Normalises over the channels of pictures or the columns of matrices.
int32_t zoo_trainer_add_layer_normalization(zoo_trainer *trainer, int32_t input, int32_t output,
                                            zoo_parameters parameters, float epsilon);
/// A factor for each channel, `parameters.weight`.
int32_t zoo_trainer_add_channel_scale(zoo_trainer *trainer, int32_t input, int32_t output, zoo_parameters parameters);
/// A fixed factor and offset for each channel; both are copied.
int32_t zoo_trainer_add_channel_affine(zoo_trainer *trainer, int32_t input, int32_t output, const float *scale,
                                       const float *shift);
/// Pictures at the output's height and width, bilinear between pixels' centres.
int32_t zoo_trainer_add_resize(zoo_trainer *trainer, int32_t input, int32_t output);

/// Each channel of each picture times its gate, [N, C, 1, 1].
int32_t zoo_trainer_add_gate(zoo_trainer *trainer, int32_t input, int32_t gates, int32_t output);
/// Channel i of the output is channel `channels[i]` of the inputs side by side.
int32_t zoo_trainer_add_channel_gather(zoo_trainer *trainer, int32_t count, const int32_t *inputs, int32_t output,
                                       const int32_t *channels);

/// No layer may be added afterwards.
int32_t zoo_trainer_finish(zoo_trainer *trainer, int32_t input, int32_t output);

/// Memory that is needed from one step of a run to another.
typedef struct {
  int64_t bytes;
  int32_t first, last;
} zoo_slot;

/// Of a finished trainer, whose slots then must be placed, before its first run: `offsets` of all of them, in bytes, in an
/// arena of `bytes`.
int32_t zoo_trainer_slot_count(const zoo_trainer *trainer);
zoo_slot zoo_trainer_slot(const zoo_trainer *trainer, int32_t slot);
void zoo_trainer_place(zoo_trainer *trainer, const int64_t *offsets, int64_t bytes);

/// Runs forward from row-major `input` and writes the row-major output.
int32_t zoo_trainer_forward(zoo_trainer *trainer, const float *input, const float *parameters, float *buffers,
                            uint64_t seed, float *output);
/// Runs backward from the row-major gradient of the output; fills the trainable parts of `gradients`.
int32_t zoo_trainer_backward(zoo_trainer *trainer, const float *output_gradient, const float *parameters,
                             float *gradients);

#ifdef __cplusplus
}
#endif
