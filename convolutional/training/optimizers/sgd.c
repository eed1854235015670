/* sgd.c - gradient descent with momentum, plain or Nesterov's, in PyTorch's form.
 *
 *   g += wd w;  v = momentum v + g;  w -= lr (nesterov ? g + momentum v : v)      Sutskever et al., 2013 */

#include "optimizer_rule.h"

/* v now and g are mixed by two numbers, so that both forms are one loop. */
static void sgd_prepare(OptimizerStep *s)
{
    s->of_moment = s->options->nesterov ? s->momentum : 1;
    s->of_gradient = s->options->nesterov ? 1 : 0;
}

static void sgd_chunk(const OptimizerStep *s, size_t count, float *restrict w, const float *restrict g, float *const *state)
{
    const float lr = s->lr, decay = s->decay, scale = s->scale, momentum = s->momentum;
    const float of_moment = s->of_moment, of_gradient = s->of_gradient;
    float *restrict v = state[0];
    #pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i] + decay * w[i];
        v[i] = momentum * v[i] + gradient;
        w[i] -= lr * (of_gradient * gradient + of_moment * v[i]);
    }
}

const OptimizerRule optimizer_sgd = {
    .name = "sgd", .aliases = "", .about = "gradient descent with momentum (Sutskever et al., 2013)",
    .defaults = "lr=0.1 weight-decay=5e-4 momentum=0.9", .state_names = { "momentum_buffer" },
    .prepare = sgd_prepare, .chunk = sgd_chunk,
};
