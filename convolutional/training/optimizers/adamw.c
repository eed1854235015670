/* adamw.c - Adam whose decay does not pass through the moments.
 *
 *   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *   w -= lr wd w;  w -= lr m^ / (sqrt(v^) + eps)          m^ = m / (1 - b1^t), v^ = v / (1 - b2^t)
 *                                                         Loshchilov and Hutter, arXiv:1711.05101 */

#include "optimizer_rule.h"

#include <math.h>

static void adamw_chunk(const OptimizerStep *s, size_t count, float *restrict w, const float *restrict g, float *const *state)
{
    const float keep = 1 - s->lr * s->decay, scale = s->scale, beta1 = s->beta1, beta2 = s->beta2;
    const float rest1 = s->rest1, rest2 = s->rest2, rate = s->rate, root = s->root, eps = s->eps;
    float *restrict m = state[0], *restrict v = state[1];
    #pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i];
        m[i] = beta1 * m[i] + rest1 * gradient;
        v[i] = beta2 * v[i] + rest2 * gradient * gradient;
        w[i] = keep * w[i] - rate * m[i] / (sqrtf(v[i]) * root + eps);
    }
}

const OptimizerRule optimizer_adamw = {
    .name = "adamw", .aliases = "", .about = "Adam with decay of its own (Loshchilov and Hutter, arXiv:1711.05101)",
    .defaults = "lr=2e-3 weight-decay=0.05", .state_names = { "exp_avg", "exp_avg_sq" }, .divides = true,
    .prepare = adam_prepare, .chunk = adamw_chunk,
};
