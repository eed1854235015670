/* optimizer.h - one step of a rule (optimizers/, docs/optimizers.md) over the flat parameter blocks.
 *
 * The trained part of the blocks is cut into groups of neighbours that are stepped alike: without further wishes these are the
 * decayed part and the rest. */

#ifndef CONVZOO_OPTIMIZER_H
#define CONVZOO_OPTIMIZER_H

#include "errors.h"
#include "parameters.h"

typedef enum {
#define X(key) OPTIMIZER_##key,
#include "optimizers.def"
#undef X
    OPTIMIZER_COUNT
} OptimizerKind;

enum { OPTIMIZER_STATES = 4 };      /* blocks of state, at most */

typedef struct OptimizerOptions {
    OptimizerKind kind;
    float momentum;            /* sgd */
    bool  nesterov;            /* sgd */
    float beta1, beta2, eps;   /* adamw */
    float weight_decay;
    float clip_norm;           /* scale gradients down to this norm; 0: no */
} OptimizerOptions;

/* Neighbours in the block that are stepped alike. */
typedef struct OptimizerGroup {
    size_t first, last;        /* floats: first .. last-1 */
    float  lr, decay;          /* factors of the run's */
} OptimizerGroup;

typedef struct Optimizer {
    OptimizerOptions options;
    Network         *network;
    const struct OptimizerRule *rule;
    OptimizerGroup  *groups;           /* in the block's order */
    int              group_count;
    int              states;           /* blocks in use: sgd 1, adamw 2 */
    size_t           count;            /* floats of a block */
    float           *state[OPTIMIZER_STATES];      /* each arranged as the parameters' trained part */
    uint64_t         steps;            /* done; adamw's bias correction */
} Optimizer;

/* Names of the kinds, the settings that suit one where it is not the recipe's ("lr=0.1 weight-decay=5e-4"), and the names of
 * its states in a checkpoint ("momentum_buffer"; "exp_avg", "exp_avg_sq"). */
const char *optimizer_name(OptimizerKind kind);
const char *optimizer_names(void);
bool        optimizer_parse(const char *name, OptimizerKind *kind, Error *error);
const char *optimizer_defaults(OptimizerKind kind);
const char *optimizer_state_name(OptimizerKind kind, int state);

/* After the training program is compiled, which fixes the layout: optimizer_step checks that. Allocates the states, zero. */
Optimizer *optimizer_new(Network *network, const OptimizerOptions *options);
void       optimizer_free(Optimizer *optimizer);

/* One step on the current gradients. Returns the gradient's norm before clipping; when it is not finite
 * nothing is changed. */
double optimizer_step(Optimizer *optimizer, float lr);

#endif
