/* optimizer.c - one pass over the blocks a step; see optimizer.h.
 *
 *   values     w   [ decayed | not decayed ]   network_parameters()->trained floats
 *   gradients  g   the same
 *   states         the same, each
 *
 * A step reads and writes memory and computes little, so each rule is one fused loop, cut into fixed chunks. Every
 * element depends on its own index alone: the same bits for any number of threads. */

#include "optimizer_rule.h"

#include "kernels.h"

#include <math.h>
#include <stdlib.h>

/* ---- groups ---- */

static void add_group(Optimizer *optimizer, OptimizerGroup group)
{
    if (group.first < group.last)
        optimizer->groups[optimizer->group_count++] = group;
}

static void make_groups(Optimizer *optimizer)
{
    const Parameters *p = network_parameters(optimizer->network);
    optimizer->groups = allocate(2, sizeof *optimizer->groups, "parameter groups");
    add_group(optimizer, (OptimizerGroup){ .last = p->decayed, .lr = 1, .decay = 1 });
    add_group(optimizer, (OptimizerGroup){ .first = p->decayed, .last = p->trained, .lr = 1 });
}

Optimizer *optimizer_new(Network *network, const OptimizerOptions *options)
{
    const OptimizerRule *rule = optimizer_rule(options->kind);
    CHECK(!rule->divides || options->eps > 0, "%s: eps %g: padding would become 0 / 0", rule->name, (double)options->eps);
    const size_t trained = network_parameters(network)->trained;
    Optimizer *optimizer = allocate(1, sizeof *optimizer, "an optimiser");
    *optimizer = (Optimizer){
        .options = *options, .network = network, .rule = rule, .states = optimizer_rule_states(rule), .count = trained,
    };
    for (int i = 0; i < optimizer->states; i++)
        optimizer->state[i] = allocate(trained, sizeof(float), "the optimiser's state");
    make_groups(optimizer);
    return optimizer;
}

void optimizer_free(Optimizer *optimizer)
{
    if (!optimizer)
        return;
    for (int i = 0; i < optimizer->states; i++)
        free(optimizer->state[i]);
    free(optimizer->groups);
    free(optimizer);
}

/* ---- a step ---- */

enum { CHUNK = 1 << 14 };      /* floats: a chunk's blocks fit the second-level cache */

static OptimizerStep step_of(const Optimizer *optimizer, const OptimizerGroup *group, float lr, float scale)
{
    const OptimizerOptions *o = &optimizer->options;
    OptimizerStep s = {
        .options = o, .number = optimizer->steps, .lr = group->lr * lr, .decay = group->decay * o->weight_decay, .scale = scale,
        .beta1 = o->beta1, .beta2 = o->beta2, .rest1 = (float)(1 - (double)o->beta1), .rest2 = (float)(1 - (double)o->beta2),
        .momentum = o->momentum, .eps = o->eps, .root = 1, .of_moment = 1,
    };
    s.rate = s.lr;
    if (optimizer->rule->prepare)
        optimizer->rule->prepare(&s);
    return s;
}

static void step_group(const Optimizer *optimizer, const OptimizerGroup *group, const OptimizerStep *s)
{
    const Parameters *p = network_parameters(optimizer->network);
    #pragma omp parallel for schedule(static)
    for (size_t i = group->first; i < group->last; i += CHUNK) {
        const size_t count = group->last - i < CHUNK ? group->last - i : CHUNK;
        float *state[OPTIMIZER_STATES];
        for (int k = 0; k < optimizer->states; k++)
            state[k] = optimizer->state[k] + i;
        optimizer->rule->chunk(s, count, p->values + i, p->gradients + i, state);
    }
}

/* What gradients are multiplied by, as PyTorch's clip_grad_norm_. */
static float clip_scale(const OptimizerOptions *options, double norm)
{
    const double scale = options->clip_norm / (norm + 1e-6);
    return options->clip_norm > 0 && scale < 1 ? (float)scale : 1;
}

double optimizer_step(Optimizer *optimizer, float lr)
{
    Parameters *p = network_parameters(optimizer->network);
    CHECK(p->gradients, "no gradients: compile a training program before the first step (%zu values)", p->trained);
    CHECK(p->trained == optimizer->count, "an optimiser of %zu values for a network of %zu: make it after the training program is compiled",
          optimizer->count, p->trained);
    const double norm = sqrt(kernel_sum_of_squares(p->trained, p->gradients));
    if (!isfinite(norm))
        return norm;
    optimizer->steps++;
    const float scale = clip_scale(&optimizer->options, norm);
    for (int i = 0; i < optimizer->group_count; i++) {
        const OptimizerStep s = step_of(optimizer, &optimizer->groups[i], lr, scale);
        step_group(optimizer, &optimizer->groups[i], &s);
    }
    p->version++;
    return norm;
}
