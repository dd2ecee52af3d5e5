// Steps of optimizers over flat buffers, on every thread, with the same result for any number of them.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// `torch.optim.AdamW` with betas 0.9 and 0.999 and epsilon 1e-8; `scale` multiplies the gradient, the corrections are
/// those of the moments' bias.
typedef struct {
  float rate, decay, scale, first_correction, second_correction;
} zoo_adamw_step;
void zoo_adamw(float *parameters, const float *gradient, float *first, float *second, int64_t count,
               const zoo_adamw_step *step);
/// `torch.optim.SGD` with momentum 0.9.
void zoo_sgd(float *parameters, const float *gradient, float *momentum, int64_t count, float rate, float decay,
             float scale);
double zoo_sum_of_squares(const float *values, int64_t count);

#ifdef __cplusplus
}
#endif
