/* lion.c - the sign of an average: every weight moves by lr.
 *
 *   u = sign(b1 m + (1-b1) g);  m = b2 m + (1-b2) g
 *   w -= lr wd w;  w -= lr u                              Chen et al., 2023, arXiv:2302.06675 */

#include "optimizer_rule.h"

static void lion_chunk(const OptimizerStep *s, size_t count, float *restrict w, const float *restrict g, float *const *state)
{
    const float lr = s->lr, keep = 1 - s->lr * s->decay, scale = s->scale;
    const float beta1 = s->beta1, beta2 = s->beta2, rest1 = s->rest1, rest2 = s->rest2;
    float *restrict m = state[0];
    #pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i], mixed = beta1 * m[i] + rest1 * gradient;
        m[i] = beta2 * m[i] + rest2 * gradient;
        w[i] = keep * w[i] - (mixed > 0 ? lr : mixed < 0 ? -lr : 0);
    }
}

const OptimizerRule optimizer_lion = {
    .name = "lion", .aliases = "", .about = "the sign of an average (Chen et al., arXiv:2302.06675)",
    .defaults = "lr=3e-4 weight-decay=0.3 opt-betas=0.9,0.99", .state_names = { "exp_avg" }, .chunk = lion_chunk,
};
