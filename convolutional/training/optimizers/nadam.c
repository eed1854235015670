/* nadam.c - Adam with Nesterov's momentum, whose share grows over the first steps.
 *
 *   mu_t = b1 (1 - 0.96^(0.004 t) / 2);  M_t = mu_1 mu_2 .. mu_t
 *   g += wd w;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  v^ = v / (1 - b2^t)
 *   w -= lr (mu_t+1 m / (1 - M_t+1) + (1 - mu_t) g / (1 - M_t)) / (sqrt(v^) + eps)       Dozat, 2016; PyTorch's form */

#include "optimizer_rule.h"

#include <math.h>

static double momentum_of(double beta1, double t)
{
    return beta1 * (1 - 0.5 * pow(0.96, 0.004 * t));
}

static void nadam_prepare(OptimizerStep *s)
{
    const double t = (double)s->number, now = momentum_of(s->beta1, t), next = momentum_of(s->beta1, t + 1);
    double product = 1;
    for (double i = 1; i <= t && product > 1e-20; i++)      /* smaller makes no difference to 1 */
        product *= momentum_of(s->beta1, i);
    s->of_gradient = (float)((1 - now) / (1 - product));
    s->of_moment = (float)(next / (1 - product * next));
    s->root = adam_root(s);
}

static void nadam_chunk(const OptimizerStep *s, size_t count, float *restrict w, const float *restrict g, float *const *state)
{
    const float decay = s->decay, scale = s->scale, beta1 = s->beta1, beta2 = s->beta2, rest1 = s->rest1, rest2 = s->rest2;
    const float lr = s->lr, root = s->root, eps = s->eps, of_gradient = s->of_gradient, of_moment = s->of_moment;
    float *restrict m = state[0], *restrict v = state[1];
    #pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i] + decay * w[i];
        m[i] = beta1 * m[i] + rest1 * gradient;
        v[i] = beta2 * v[i] + rest2 * gradient * gradient;
        w[i] -= lr * (of_moment * m[i] + of_gradient * gradient) / (sqrtf(v[i]) * root + eps);
    }
}

const OptimizerRule optimizer_nadam = {
    .name = "nadam", .aliases = "", .about = "adam that looks ahead (Dozat, 2016)",
    .defaults = "lr=1e-3 weight-decay=0", .state_names = { "exp_avg", "exp_avg_sq" }, .divides = true,
    .prepare = nadam_prepare, .chunk = nadam_chunk,
};
