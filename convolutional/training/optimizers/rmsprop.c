/* rmsprop.c - gradients over the root of their average square, then momentum. PyTorch's form; its alpha is b2.
 *
 *   g += wd w;  s = b2 s + (1-b2) g^2;  v = momentum v + g / (sqrt(s) + eps);  w -= lr v         Tieleman and Hinton, 2012 */

#include "optimizer_rule.h"

#include <math.h>

static void rmsprop_chunk(const OptimizerStep *s, size_t count, float *restrict w, const float *restrict g, float *const *state)
{
    const float lr = s->lr, decay = s->decay, scale = s->scale, momentum = s->momentum;
    const float beta2 = s->beta2, rest2 = s->rest2, eps = s->eps;
    float *restrict square = state[0], *restrict v = state[1];
    #pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i] + decay * w[i];
        square[i] = beta2 * square[i] + rest2 * gradient * gradient;
        v[i] = momentum * v[i] + gradient / (sqrtf(square[i]) + eps);
        w[i] -= lr * v[i];
    }
}

const OptimizerRule optimizer_rmsprop = {
    .name = "rmsprop", .aliases = "", .about = "gradients over their size of late (Tieleman and Hinton, 2012)",
    .defaults = "lr=3e-4 weight-decay=0 momentum=0.9 opt-betas=0.9,0.99", .state_names = { "square_avg", "momentum_buffer" }, .divides = true,
    .chunk = rmsprop_chunk,
};
