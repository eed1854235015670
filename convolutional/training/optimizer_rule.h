/* optimizer_rule.h - what an optimiser is: a rule. optimizers/<name>.c exports one, optimizers.def has a row for it. */

#ifndef CONVZOO_OPTIMIZER_RULE_H
#define CONVZOO_OPTIMIZER_RULE_H

#include "optimizer.h"

/* What is the same for all elements of a group in a step. */
typedef struct OptimizerStep {
    const OptimizerOptions *options;
    uint64_t number;               /* of the step, from 1 */
    float lr, decay;               /* the group's; decay: the coefficient, 0 for what is not decayed */
    float scale;                   /* of gradients: clipping */
    float beta1, beta2, rest1, rest2;      /* rest: 1 - beta */
    float momentum, eps;

    /* `prepare` makes these; before, they are lr, 1, 0, 1. */
    float rate;                    /* of what is taken off the weights */
    float root;                    /* of the root of the second moment */
    float of_gradient, of_moment;      /* how the gradient and its average are mixed */
} OptimizerStep;

/* A parameter as a matrix: the file's [out, in k k]. */
typedef struct OptimizerTensor {
    const Param    *param;
    size_t          room;          /* floats of its span, padding included */
    size_t          rows, columns;
    const uint32_t *positions;     /* where each of the rows x columns lies in the span */
    float          *scratch;       /* as large as the rule asked for */
    bool            elsewhere;     /* another rank steps the weights: the states alone are to be stepped */
} OptimizerTensor;

typedef struct OptimizerRule {
    const char *name, *aliases;
    const char *about;             /* a line, with the paper */
    const char *defaults;          /* settings that suit it where it is not the recipe's: "lr=0.1 weight-decay=5e-4" */
    const char *state_names[OPTIMIZER_STATES];      /* as PyTorch has them; after the last NULL */
    int   states;                  /* how many of these it uses itself, before those of the rule beside it; 0: all */
    bool  divides;                 /* by a root that may be 0: options->eps must be above it */

    /* What follows from the step alone. May be NULL. */
    void (*prepare)(OptimizerStep *step);
    /* One pass over `count` neighbours: weights, gradients, and as many states as there are names. Each element depends on its
     * own index alone, and what is zero in all (padding) stays zero. */
    void (*chunk)(const OptimizerStep *step, size_t count, float *restrict w, const float *restrict g, float *const *state);

    /* Or, instead of `chunk`, a whole parameter at once: all begin where its span does. The same bits for any number of threads. */
    void (*tensor)(const OptimizerStep *step, const OptimizerTensor *tensor, float *w, const float *g, float *const *state);
    size_t (*scratch)(const OptimizerTensor *tensor);      /* floats that `tensor` works in; NULL: none */
    double (*cost)(const OptimizerTensor *tensor);         /* multiplications of `tensor`, where ranks share them out; NULL: each steps all itself */
    bool  (*takes)(const Network *network, const Param *param);      /* others go by options->other's rule; NULL: takes all */
} OptimizerRule;

const OptimizerRule *optimizer_rule(OptimizerKind kind);
int                  optimizer_rule_states(const OptimizerRule *rule);      /* names of states */

/* A parameter as rules have it. */
OptimizerTensor optimizer_tensor(const Optimizer *optimizer, const Param *param);

/* Which rank steps what, after the groups have changed; whether it is another one that steps a group; and, after a step, everybody's weights to
 * all. Without ranks they do nothing. */
void optimizer_share_cut(Optimizer *optimizer);
bool optimizer_share_elsewhere(const Optimizer *optimizer, const OptimizerGroup *group);
void optimizer_share_collect(const Optimizer *optimizer);

/* Changes the gradients as options->clip_mode says; what the rule still has to multiply them by. norm: of them all. */
float optimizer_clip(const Optimizer *optimizer, double norm);

#define X(key) extern const OptimizerRule optimizer_##key;
#include "optimizers.def"
#undef X

/* Adam's rate and root, for rules that share its bias correction; the root alone: 1 / sqrt(1 - b2^t). */
void  adam_prepare(OptimizerStep *step);
float adam_root(const OptimizerStep *step);

#endif
