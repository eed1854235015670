/* nesterov.c - sgd with Nesterov's momentum, whatever --nesterov says: the name that timm and Keras have for it.
 *
 *   g += wd w;  v = momentum v + g;  w -= lr (g + momentum v)      Nesterov, 1983; Sutskever et al., 2013 */

#include "optimizer_rule.h"

static void nesterov_chunk(const OptimizerStep *s, size_t count, float *restrict w, const float *restrict g, float *const *state)
{
    const float lr = s->lr, decay = s->decay, scale = s->scale, momentum = s->momentum;
    float *restrict v = state[0];
    #pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i] + decay * w[i];
        v[i] = momentum * v[i] + gradient;
        w[i] -= lr * (gradient + momentum * v[i]);
    }
}

const OptimizerRule optimizer_nesterov = {
    .name = "nesterov", .aliases = "nag", .about = "sgd that looks ahead (Nesterov, 1983; Sutskever et al., 2013)",
    .defaults = "lr=0.1 weight-decay=5e-4 momentum=0.9", .state_names = { "momentum_buffer" }, .chunk = nesterov_chunk,
};
