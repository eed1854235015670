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
#include "parameter_groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- groups ---- */

static const OptimizerRule *rule_for(const Optimizer *optimizer, const Param *param, const ParameterSettings *settings)
{
    const OptimizerRule *rule = optimizer_rule(optimizer->options.kind);
    const bool takes = !rule->takes || (!settings->other && rule->takes(optimizer->network, param));
    return takes ? rule : optimizer_rule(optimizer->options.other);
}

static void add_parameter(Optimizer *optimizer, const Param *param, uint64_t steps)
{
    const ParameterSettings settings = parameter_settings(optimizer->options.param_groups, optimizer->network, param);
    const OptimizerRule *rule = rule_for(optimizer, param, &settings);
    const ParamSpan span = parameters_span(optimizer->network, param);
    const OptimizerOptions *o = &optimizer->options;
    const float share = rule == optimizer_rule(o->kind) ? 1 : o->other_lr;
    const float head = o->head_lr > 0 && parameter_in_head(optimizer->network, param) ? o->head_lr : 1;
    const bool frozen = settings.frozen || param->frozen;
    if (optimizer->params[param->index].frozen && !frozen)
        optimizer->params[param->index].since = steps;
    optimizer->params[param->index].frozen = frozen;
    const OptimizerGroup group = {
        .first = span.offset, .last = span.offset + span.room, .lr = settings.lr * share * head, .decay = settings.decay,
        .frozen = frozen, .since = optimizer->params[param->index].since, .rule = rule, .param = rule->tensor ? param : NULL,
    };
    OptimizerGroup *before = optimizer->group_count ? &optimizer->groups[optimizer->group_count - 1] : NULL;
    if (before && before->last == group.first && before->lr == group.lr && before->decay == group.decay &&
        before->frozen == group.frozen && before->since == group.since && before->rule == rule && !group.param)
        before->last = group.last;
    else
        optimizer->groups[optimizer->group_count++] = group;
}

static void make_groups(Optimizer *optimizer, uint64_t steps)
{
    const int count = network_param_count(optimizer->network);
    optimizer->group_count = 0;
    for (int role = PARAM_weight; role <= PARAM_plain; role++)      /* the block's order */
        for (int i = 0; i < count; i++)
            if (network_param(optimizer->network, i)->role == (ParamRole)role)
                add_parameter(optimizer, network_param(optimizer->network, i), steps);
}

/* ---- what rules need beside the blocks ---- */

OptimizerTensor optimizer_tensor(const Optimizer *optimizer, const Param *param)
{
    const size_t rows = param->rank > 1 ? (size_t)param->dims[0] : 1;
    return (OptimizerTensor){
        .param = param, .room = parameters_span(optimizer->network, param).room, .rows = rows, .columns = param->count / rows,
        .positions = optimizer->positions[param->index], .scratch = optimizer->scratch,
    };
}

static void make_positions(Optimizer *optimizer, const Param *param)
{
    uint32_t **positions = &optimizer->positions[param->index];
    if (*positions)
        return;
    *positions = allocate(param->count, sizeof **positions, "a parameter's positions");
    parameters_positions(optimizer->network, param, *positions);
}

static void make_room(Optimizer *optimizer)
{
    size_t most = 0;
    for (int i = 0; i < optimizer->group_count; i++) {
        const OptimizerGroup *group = &optimizer->groups[i];
        if (!group->param || group->frozen)
            continue;
        const OptimizerTensor tensor = optimizer_tensor(optimizer, group->param);
        const size_t floats = group->rule->scratch ? group->rule->scratch(&tensor) : 0;
        most = floats > most ? floats : most;
        if (group->rule->takes)
            make_positions(optimizer, group->param);
    }
    for (int i = 0; i < network_param_count(optimizer->network); i++)
        if (optimizer->options.clip_mode == CLIP_agc && network_param(optimizer->network, i)->role == PARAM_weight)
            make_positions(optimizer, network_param(optimizer->network, i));
    free(optimizer->scratch);
    optimizer->scratch = most ? allocate(most, sizeof(float), "the optimiser's scratch") : NULL;
}

void optimizer_regroup(Optimizer *optimizer, uint64_t steps)
{
    make_groups(optimizer, steps);
    make_room(optimizer);
    optimizer_share_cut(optimizer);
}

static int states_of(const Optimizer *optimizer)
{
    int states = 0;
    for (int i = 0; i < optimizer->group_count; i++) {
        const OptimizerRule *rule = optimizer->groups[i].rule;
        const int own = rule->states ? rule->states : optimizer_rule_states(rule);
        states = own > states ? own : states;
    }
    return states;
}

Optimizer *optimizer_new(Network *network, const OptimizerOptions *options)
{
    const OptimizerRule *rule = optimizer_rule(options->kind), *other = rule->takes ? optimizer_rule(options->other) : rule;
    CHECK(!(rule->divides || other->divides) || options->eps > 0, "%s: eps %g: padding would become 0 / 0", rule->name,
          (double)options->eps);
    CHECK(!rule->takes || other->chunk, "%s beside %s: the other rule must be elementwise", other->name, rule->name);
    const size_t trained = network_parameters(network)->trained;
    Optimizer *optimizer = allocate(1, sizeof *optimizer, "an optimiser");
    *optimizer = (Optimizer){ .options = *options, .network = network, .count = trained };
    const size_t params = (size_t)network_param_count(network);
    optimizer->groups = allocate(params + 1, sizeof *optimizer->groups, "parameter groups");
    optimizer->positions = allocate(params + 1, sizeof *optimizer->positions, "positions");
    optimizer->params = allocate(params + 1, sizeof *optimizer->params, "parameters");
    optimizer_regroup(optimizer, 0);
    optimizer->states = states_of(optimizer);
    for (int i = 0; i < optimizer->states; i++)
        optimizer->state[i] = allocate(trained, sizeof(float), "the optimiser's state");
    return optimizer;
}

void optimizer_free(Optimizer *optimizer)
{
    if (!optimizer)
        return;
    for (int i = 0; i < optimizer->states; i++)
        free(optimizer->state[i]);
    for (int i = 0; i < network_param_count(optimizer->network); i++)
        free(optimizer->positions[i]);
    free(optimizer->positions);
    free(optimizer->scratch);
    free(optimizer->shares);
    free(optimizer->params);
    free(optimizer->groups);
    free(optimizer);
}

/* ---- a step ---- */

enum { CHUNK = 1 << 14 };      /* floats: a chunk's blocks fit the second-level cache */

static OptimizerStep step_of(const Optimizer *optimizer, const OptimizerGroup *group, float lr, float scale)
{
    const OptimizerOptions *o = &optimizer->options;
    OptimizerStep s = {
        .options = o, .number = optimizer->steps - group->since, .lr = group->lr * lr, .decay = group->decay * o->weight_decay, .scale = scale,
        .beta1 = o->beta1, .beta2 = o->beta2, .rest1 = (float)(1 - (double)o->beta1), .rest2 = (float)(1 - (double)o->beta2),
        .momentum = o->momentum, .eps = o->eps, .root = 1, .of_moment = 1,
    };
    if (o->other_momentum > 0 && group->rule != optimizer_rule(o->kind))
        s.momentum = o->other_momentum;
    s.rate = s.lr;
    if (group->rule->prepare)
        group->rule->prepare(&s);
    return s;
}

static void states_at(const Optimizer *optimizer, size_t at, float **state)
{
    for (int k = 0; k < optimizer->states; k++)
        state[k] = optimizer->state[k] + at;
}

static void step_chunks(const Optimizer *optimizer, const OptimizerGroup *group, const OptimizerStep *s)
{
    const Parameters *p = network_parameters(optimizer->network);
    #pragma omp parallel for schedule(static)
    for (size_t i = group->first; i < group->last; i += CHUNK) {
        float *state[OPTIMIZER_STATES];
        states_at(optimizer, i, state);
        group->rule->chunk(s, group->last - i < CHUNK ? group->last - i : CHUNK, p->values + i, p->gradients + i, state);
    }
}

static void step_group(const Optimizer *optimizer, const OptimizerGroup *group, float lr, float scale)
{
    const Parameters *p = network_parameters(optimizer->network);
    const OptimizerStep s = step_of(optimizer, group, lr, scale);
    if (!group->param) {
        step_chunks(optimizer, group, &s);
        return;
    }
    float *state[OPTIMIZER_STATES];
    OptimizerTensor tensor = optimizer_tensor(optimizer, group->param);
    tensor.elsewhere = optimizer_share_elsewhere(optimizer, group);
    states_at(optimizer, group->first, state);
    group->rule->tensor(&s, &tensor, p->values + group->first, p->gradients + group->first, state);
}

/* What is frozen has no part in the norm. */
static void clear_frozen(const Optimizer *optimizer)
{
    float *gradients = network_parameters(optimizer->network)->gradients;
    for (int i = 0; i < optimizer->group_count; i++) {
        const OptimizerGroup *group = &optimizer->groups[i];
        if (group->frozen)
            memset(gradients + group->first, 0, (group->last - group->first) * sizeof *gradients);
    }
}

double optimizer_step(Optimizer *optimizer, float lr)
{
    Parameters *p = network_parameters(optimizer->network);
    CHECK(p->gradients, "no gradients: compile a training program before the first step (%zu values)", p->trained);
    CHECK(p->trained == optimizer->count, "an optimiser of %zu values for a network of %zu: make it after the training program is compiled",
          optimizer->count, p->trained);
    clear_frozen(optimizer);
    const double norm = sqrt(kernel_sum_of_squares(p->trained, p->gradients));
    if (!isfinite(norm))
        return norm;
    optimizer->steps++;
    const float scale = optimizer_clip(optimizer, norm);
    for (int i = 0; i < optimizer->group_count; i++) {
        if (!optimizer->groups[i].frozen)
            step_group(optimizer, &optimizer->groups[i], lr, scale);
        ranks_alive(optimizer->ranks);
    }
    optimizer_share_collect(optimizer);
    p->version++;
    return norm;
}
