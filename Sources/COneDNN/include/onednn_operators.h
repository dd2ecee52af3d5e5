// Single oneDNN operations over row-major float32 memory, prepared once for given shapes and then run many times.
//
// Functions that can fail return NULL or a negative number; zoo_operators_error() then says why. One call at a time.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct zoo_operators zoo_operators;
typedef struct zoo_prepared zoo_prepared;

/// NULL where oneDNN can't start. `threads` below 1 means as many as there are cores.
zoo_operators *zoo_operators_create(int32_t threads);
void zoo_operators_destroy(zoo_operators *operators);
const char *zoo_operators_error(const zoo_operators *operators);

/// Products of matrices over batch axes: a [..., M, K] by b [..., K, N] gives a row-major [..., M, N], plus bias [N].
/// Strides are in elements; a batch axis of size 1 repeats. `b_values` and `bias` are packed now; `b_values` may be NULL
/// and then comes with each run, `bias` may be NULL for none.
zoo_prepared *zoo_operators_matmul(
    zoo_operators *operators, int32_t rank, const int64_t *a_sizes, const int64_t *a_strides, const int64_t *b_sizes,
    const int64_t *b_strides, const float *b_values, const float *bias);

/// What a convolution does along its 1 to 3 spatial axes.
typedef struct {
  int32_t axes;
  int64_t stride[3], dilation[3], before[3], after[3];
} zoo_spatial_window;

/// x [N, C, ...] by weights [O, C / groups, ...] gives y [N, O, ...], all row-major. `weights` may be NULL and then comes
/// with each run; `bias` [O] may be NULL for none.
zoo_prepared *zoo_operators_convolution(
    zoo_operators *operators, const int64_t *x_sizes, const int64_t *weight_sizes, const int64_t *y_sizes,
    int64_t groups, const zoo_spatial_window *window, const float *weights, const float *bias);

/// Runs a prepared operation. `second` is read only where no constant was given for it.
int32_t zoo_operators_run(
    zoo_operators *operators, zoo_prepared *prepared, const float *first, const float *second, float *output);
void zoo_prepared_destroy(zoo_prepared *prepared);

#ifdef __cplusplus
}
#endif
