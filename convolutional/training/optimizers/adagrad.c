/* adagrad.c - gradients over the root of all their squares so far.
 *
 *   g += wd w;  s += g^2;  w -= lr g / (sqrt(s) + eps)      Duchi et al., 2011 */

#include "optimizer_rule.h"

#include <math.h>

static void adagrad_chunk(const OptimizerStep *s, size_t count, float *restrict w, const float *restrict g, float *const *state)
{
    const float lr = s->lr, decay = s->decay, scale = s->scale, eps = s->eps;
    float *restrict sum = state[0];
    #pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i] + decay * w[i];
        sum[i] += gradient * gradient;
        w[i] -= lr * gradient / (sqrtf(sum[i]) + eps);
    }
}

const OptimizerRule optimizer_adagrad = {
    .name = "adagrad", .aliases = "", .about = "gradients over their size so far (Duchi et al., 2011)",
    .defaults = "lr=0.01 weight-decay=0 opt-eps=1e-10", .state_names = { "sum" }, .divides = true,
    .chunk = adagrad_chunk,
};
