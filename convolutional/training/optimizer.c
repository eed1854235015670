/* optimizer.c - one pass over the blocks a step; see optimizer.h.
 *
 *   values     w   [ decayed | not decayed ]   network_parameters()->trained floats
 *   gradients  g   the same
 *   state      v   or m, v                     the same
 *
 * A step reads and writes memory and computes little, so each kind is one fused loop, cut into fixed chunks. Every
 * element depends on its own index alone: the same bits for any number of threads. */

#include "optimizer.h"

#include "kernels.h"
#include "names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OPTIMIZERS(X)                              \
    /* key    states  their names in PyTorch */    \
    X(sgd,    1,      "momentum_buffer", "")       \
    X(adamw,  2,      "exp_avg", "exp_avg_sq")

static const struct { const char *name; int states; const char *state_names[OPTIMIZER_STATES]; } kinds[] = {
#define X(key, count, ...) [OPTIMIZER_##key] = { #key, count, { __VA_ARGS__ } },
    OPTIMIZERS(X)
#undef X
};
_Static_assert(sizeof kinds / sizeof *kinds == OPTIMIZER_COUNT, "every optimiser has its row");

const char *optimizer_name(OptimizerKind kind)
{
    CHECK((unsigned)kind < OPTIMIZER_COUNT, "optimiser %d of %d", (int)kind, OPTIMIZER_COUNT);
    return kinds[kind].name;
}

const char *optimizer_state_name(OptimizerKind kind, int state)
{
    CHECK((unsigned)kind < OPTIMIZER_COUNT && state >= 0 && state < kinds[kind].states, "state %d of optimiser %d", state, (int)kind);
    return kinds[kind].state_names[state];
}

const char *optimizer_names(void)
{
#define X(key, ...) " " #key
    return &(OPTIMIZERS(X))[1];      /* without the first space */
#undef X
}

bool optimizer_parse(const char *name, OptimizerKind *kind, Error *error)
{
    for (int i = 0; i < OPTIMIZER_COUNT; i++)
        if (names_match(kinds[i].name, name, strlen(name))) {
            *kind = (OptimizerKind)i;
            return true;
        }
    NameSearch search = { .wrong = name };
    for (int i = 0; i < OPTIMIZER_COUNT; i++)
        names_consider(&search, kinds[i].name, NULL);
    return names_unknown_of(&search, "unknown optimizer", "--opt", optimizer_names(), error);
}

Optimizer *optimizer_new(Network *network, const OptimizerOptions *options)
{
    CHECK(options->kind != OPTIMIZER_adamw || options->eps > 0, "adamw: eps %g: padding would become 0 / 0",
          (double)options->eps);
    const size_t trained = network_parameters(network)->trained;
    Optimizer *optimizer = allocate(1, sizeof *optimizer, "an optimiser");
    *optimizer = (Optimizer){ .options = *options, .network = network, .states = kinds[options->kind].states, .count = trained };
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
    free(optimizer);
}

/* ---- the loops ---- */

enum { CHUNK = 1 << 14 };      /* floats: a chunk's blocks fit the second-level cache */

/* What is the same for all elements of a step. */
typedef struct Step {
    float lr, decay;                       /* decay: the coefficient, 0 for what is not decayed */
    float scale;                           /* of gradients: clipping */
    float momentum;
    bool  nesterov;
    float beta1, beta2, rest1, rest2;      /* rest: 1 - beta */
    float rate, root;                      /* lr / (1 - b1^t), 1 / sqrt(1 - b2^t) */
    float eps;
} Step;

static void sgd_chunk(const Step *s, size_t count, float *restrict w, const float *restrict g, float *restrict v)
{
    const float lr = s->lr, decay = s->decay, scale = s->scale, momentum = s->momentum;
    /* v now and g are mixed by these two, so that both forms are one loop. */
    const float of_velocity = s->nesterov ? momentum : 1, of_gradient = s->nesterov ? 1 : 0;
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i] + decay * w[i];
        v[i] = momentum * v[i] + gradient;
        w[i] -= lr * (of_gradient * gradient + of_velocity * v[i]);
    }
}

static void adamw_chunk(const Step *s, size_t count, float *restrict w, const float *restrict g,
                        float *restrict m, float *restrict v)
{
    const float keep = 1 - s->lr * s->decay, scale = s->scale, beta1 = s->beta1, beta2 = s->beta2;
    const float rest1 = s->rest1, rest2 = s->rest2, rate = s->rate, root = s->root, eps = s->eps;
    for (size_t i = 0; i < count; i++) {
        const float gradient = scale * g[i];
        m[i] = beta1 * m[i] + rest1 * gradient;
        v[i] = beta2 * v[i] + rest2 * gradient * gradient;
        w[i] = keep * w[i] - rate * m[i] / (sqrtf(v[i]) * root + eps);
    }
}

/* Elements first .. last-1 of every block. */
static void update(const Optimizer *optimizer, const Step *s, size_t first, size_t last)
{
    const Parameters *p = network_parameters(optimizer->network);
    float *const *state = optimizer->state;
    const bool sgd = optimizer->options.kind == OPTIMIZER_sgd;
    #pragma omp parallel for schedule(static)
    for (size_t i = first; i < last; i += CHUNK) {
        const size_t count = last - i < CHUNK ? last - i : CHUNK;
        if (sgd)
            sgd_chunk(s, count, p->values + i, p->gradients + i, state[0] + i);
        else
            adamw_chunk(s, count, p->values + i, p->gradients + i, state[0] + i, state[1] + i);
    }
}

static Step step_of(const Optimizer *optimizer, double norm, float lr)
{
    const OptimizerOptions *o = &optimizer->options;
    const double t = (double)optimizer->steps;
    Step s = {
        .lr = lr, .decay = o->weight_decay, .scale = 1, .momentum = o->momentum, .nesterov = o->nesterov,
        .beta1 = o->beta1, .beta2 = o->beta2, .rest1 = (float)(1 - (double)o->beta1), .rest2 = (float)(1 - (double)o->beta2),
        .eps = o->eps,
    };
    if (o->kind == OPTIMIZER_adamw) {
        s.rate = (float)(lr / (1 - pow(o->beta1, t)));
        s.root = (float)(1 / sqrt(1 - pow(o->beta2, t)));
    }
    const double clip = o->clip_norm / (norm + 1e-6);      /* as PyTorch's clip_grad_norm_ */
    if (o->clip_norm > 0 && clip < 1)
        s.scale = (float)clip;
    return s;
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
    Step s = step_of(optimizer, norm, lr);
    update(optimizer, &s, 0, p->decayed);
    s.decay = 0;
    update(optimizer, &s, p->decayed, p->trained);
    p->version++;
    return norm;
}
