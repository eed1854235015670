/* lars.c - sgd whose rate in each layer is as large as the layer's weights allow: for large batches.
 *
 *   q = 0.001 |w| / (|g| + wd |w|)      where both norms are above 0, else 0.01
 *   v = momentum v + lr q (g + wd w);  w -= v                    You et al., 2017, arXiv:1708.03888
 * What is no weight of a convolution or linear layer (biases, norms) takes q = 0.01, about what layers have: at the rates that suit
 * the layers, which are above 1, it would run away with the 1 of plain sgd. */

#include "optimizer_rule.h"

#include "kernels.h"

#include <math.h>

static const double TRUST = 0.001;      /* the paper's eta */
static const float  OTHERS = 0.01f;

static void lars_update(const OptimizerStep *s, size_t count, float rate, float *restrict w, const float *restrict g, float *restrict v)
{
    const float decay = s->decay, scale = s->scale, momentum = s->momentum;
    #pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < count; i++) {
        v[i] = momentum * v[i] + rate * (scale * g[i] + decay * w[i]);
        w[i] -= v[i];
    }
}

static void lars_tensor(const OptimizerStep *s, const OptimizerTensor *x, float *w, const float *g, float *const *state)
{
    float rate = s->lr * OTHERS;
    if (x->param->role == PARAM_weight) {
        const double weights = sqrt(kernel_sum_of_squares(x->room, w)), gradients = s->scale * sqrt(kernel_sum_of_squares(x->room, g));
        if (weights > 0 && gradients > 0)
            rate = (float)(s->lr * TRUST * weights / (gradients + s->decay * weights));
    }
    lars_update(s, x->room, rate, w, g, state[0]);
}

const OptimizerRule optimizer_lars = {
    .name = "lars", .aliases = "", .about = "sgd at a rate of each layer's own (You et al., arXiv:1708.03888)",
    .defaults = "lr=5 weight-decay=5e-4 momentum=0.9", .state_names = { "momentum_buffer" }, .tensor = lars_tensor,
};
