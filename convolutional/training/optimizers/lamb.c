/* lamb.c - Adam whose step is as long, in each layer, as the layer's weights are: for large batches.
 *
 *   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2           m^ = m / (1 - b1^t), v^ = v / (1 - b2^t)
 *   r = m^ / (sqrt(v^) + eps) + wd w;  w -= lr |w| / |r| r     where both norms are above 0, else w -= lr r
 *                                                         You et al., 2019, arXiv:1904.00962
 * As in the authors' program, what is no weight of a convolution or linear layer (biases, norms) takes w -= lr r. */

#include "optimizer_rule.h"

#include "kernels.h"

#include <math.h>

static size_t lamb_scratch(const OptimizerTensor *x)
{
    return x->room;
}

static void lamb_prepare(OptimizerStep *s)
{
    s->of_moment = (float)(1 / (1 - pow(s->beta1, (double)s->number)));
    s->root = adam_root(s);
}

/* The moments, and r. */
static void lamb_directions(const OptimizerStep *s, size_t count, const float *restrict w, const float *restrict g, float *restrict m,
                            float *restrict v, float *restrict r)
{
    const float decay = s->decay, scale = s->scale, beta1 = s->beta1, beta2 = s->beta2, rest1 = s->rest1, rest2 = s->rest2;
    const float root = s->root, eps = s->eps, of_moment = s->of_moment;
    #pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i];
        m[i] = beta1 * m[i] + rest1 * gradient;
        v[i] = beta2 * v[i] + rest2 * gradient * gradient;
        r[i] = of_moment * m[i] / (sqrtf(v[i]) * root + eps) + decay * w[i];
    }
}

static void lamb_tensor(const OptimizerStep *s, const OptimizerTensor *x, float *w, const float *g, float *const *state)
{
    float *r = x->scratch;
    float rate = s->lr;
    lamb_directions(s, x->room, w, g, state[0], state[1], r);
    if (x->param->role == PARAM_weight) {
        const double weights = sqrt(kernel_sum_of_squares(x->room, w)), directions = sqrt(kernel_sum_of_squares(x->room, r));
        if (weights > 0 && directions > 0)
            rate = (float)(s->lr * weights / directions);
    }
    #pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < x->room; i++)
        w[i] -= rate * r[i];
}

const OptimizerRule optimizer_lamb = {
    .name = "lamb", .aliases = "", .about = "adam in steps as long as each layer's weights (You et al., arXiv:1904.00962)",
    .defaults = "lr=5e-3 weight-decay=0.02 opt-eps=1e-6", .state_names = { "exp_avg", "exp_avg_sq" }, .divides = true,
    .prepare = lamb_prepare, .tensor = lamb_tensor, .scratch = lamb_scratch,
};
