/* adam.c - a rate for each weight, from averages of gradients and of their squares. Decay is part of the gradient (L2).
 *
 *   g += wd w;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *   w -= lr m^ / (sqrt(v^) + eps)                         m^ = m / (1 - b1^t), v^ = v / (1 - b2^t)
 *                                                         Kingma and Ba, 2014, arXiv:1412.6980 */

#include "optimizer_rule.h"

#include <math.h>

float adam_root(const OptimizerStep *s)
{
    return (float)(1 / sqrt(1 - pow(s->beta2, (double)s->number)));
}

void adam_prepare(OptimizerStep *s)
{
    s->rate = (float)(s->lr / (1 - pow(s->beta1, (double)s->number)));
    s->root = adam_root(s);
}

static void adam_chunk(const OptimizerStep *s, size_t count, float *restrict w, const float *restrict g, float *const *state)
{
    const float decay = s->decay, scale = s->scale, beta1 = s->beta1, beta2 = s->beta2;
    const float rest1 = s->rest1, rest2 = s->rest2, rate = s->rate, root = s->root, eps = s->eps;
    float *restrict m = state[0], *restrict v = state[1];
    #pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i] + decay * w[i];
        m[i] = beta1 * m[i] + rest1 * gradient;
        v[i] = beta2 * v[i] + rest2 * gradient * gradient;
        w[i] -= rate * m[i] / (sqrtf(v[i]) * root + eps);
    }
}

const OptimizerRule optimizer_adam = {
    .name = "adam", .aliases = "", .about = "a rate for each weight (Kingma and Ba, arXiv:1412.6980)",
    .defaults = "lr=1e-3 weight-decay=0", .state_names = { "exp_avg", "exp_avg_sq" }, .divides = true,
    .prepare = adam_prepare, .chunk = adam_chunk,
};
