/* optimizer.h - one step of a rule (optimizers/, docs/optimizers.md) over the flat parameter blocks.
 *
 * The trained part of the blocks is cut into groups of neighbours that are stepped alike: without further wishes these are the
 * decayed part and the rest. */

#ifndef CONVZOO_OPTIMIZER_H
#define CONVZOO_OPTIMIZER_H

#include "errors.h"
#include "parameters.h"
#include "ranks.h"

typedef enum {
#define X(key) OPTIMIZER_##key,
#include "optimizers.def"
#undef X
    OPTIMIZER_COUNT
} OptimizerKind;

enum {
    OPTIMIZER_STATES = 4,            /* blocks of state, at most */
    OPTIMIZER_GROUPS_ROOM = 512,     /* the text of parameter groups */
};

/* How gradients are kept from being too large, by OptimizerOptions.clip:
 *   norm    all are multiplied by clip / norm, where their norm is larger; PyTorch's clip_grad_norm_
 *   value   each lies between -clip and clip; PyTorch's clip_grad_value_
 *   agc     an output's are multiplied by clip max(|w|, 1e-3) / |g|, where |g| is larger; w, g: the weights of that output, of a
 *           bias or norm the whole. Not in the head.                Brock et al., 2021, arXiv:2102.06171; PyTorch's timm */
#define CLIP_MODES(X) X(norm) X(value) X(agc)
#define X(key) CLIP_##key,
typedef enum { CLIP_MODES(X) CLIP_COUNT } ClipMode;
#undef X

typedef struct OptimizerOptions {
    OptimizerKind kind;
    float momentum;            /* sgd, nesterov, rmsprop, lars, muon */
    bool  nesterov;            /* sgd, muon */
    float beta1, beta2, eps;   /* of averages: adam and its kin, rmsprop, adagrad (eps alone), lion, lamb */
    float weight_decay;
    float clip_norm;           /* bound of the gradients; 0: none */
    ClipMode    clip_mode;
    char        param_groups[OPTIMIZER_GROUPS_ROOM];      /* parameter_groups.h, checked */
    OptimizerKind other;       /* of a rule for matrices: what steps the rest, an elementwise rule */
    float         other_lr;    /* its share of the learning rate */
    float         other_momentum;      /* 0: momentum */
    int           muon_rounds;         /* of Newton-Schulz; 0: 5 */
    bool          muon_normalise;      /* before a step each matrix is scaled to the norm sqrt(rows) */
    float         head_lr;     /* factor of the head's learning rate; 0: 1 */
} OptimizerOptions;

struct OptimizerRule;          /* optimizer_rule.h */

/* Neighbours in the block that are stepped alike, or a parameter that its rule takes as a whole. */
typedef struct OptimizerGroup {
    size_t first, last;        /* floats: first .. last-1 */
    float  lr, decay;          /* factors of the run's */
    bool   frozen;             /* left as it is, whatever the gradients are */
    uint64_t since;            /* the optimiser's steps before its own first one */
    const struct OptimizerRule *rule;
    const Param *param;        /* the parameter of a rule for whole ones; else NULL */
} OptimizerGroup;

typedef struct Optimizer {
    OptimizerOptions options;
    Network         *network;
    OptimizerGroup  *groups;           /* in the block's order */
    int              group_count;
    int              states;           /* blocks in use: sgd 1, adamw 2 */
    struct { bool frozen; uint64_t since; } *params;      /* each parameter's, by its index */
    size_t           count;            /* floats of a block */
    float           *state[OPTIMIZER_STATES];      /* each arranged as the parameters' trained part */
    uint64_t         steps;            /* done; less a group's `since`: adamw's bias correction */
    uint32_t       **positions;        /* of each parameter's values in its span; NULL where nobody asks */
    float           *scratch;
    Ranks           *ranks;            /* the caller's; NULL: one process */
    size_t          *shares;           /* of ranks, in floats of the block: rank r steps what costs much in shares[r] .. shares[r+1]-1 */
} Optimizer;

/* Names of the kinds, the settings that suit one where it is not the recipe's ("lr=0.1 weight-decay=5e-4"), and the names of
 * its states in a checkpoint ("momentum_buffer"; "exp_avg", "exp_avg_sq"). */
const char *optimizer_name(OptimizerKind kind);
const char *optimizer_names(void);
/* option: what the line names if there is no such rule, such as --opt. */
bool        optimizer_parse(const char *name, const char *option, OptimizerKind *kind, Error *error);
const char *optimizer_defaults(OptimizerKind kind);
/* Whether each number is stepped on its own: what can be `other`. */
bool        optimizer_is_elementwise(OptimizerKind kind);
const char *clip_names(void);
bool        clip_parse(const char *name, ClipMode *mode, Error *error);
const char *clip_name(ClipMode mode);
const char *optimizer_state_name(OptimizerKind kind, int state);

/* After the training program is compiled, which fixes the layout: optimizer_step checks that. Allocates the states, zero. */
Optimizer *optimizer_new(Network *network, const OptimizerOptions *options);
void       optimizer_free(Optimizer *optimizer);
/* Once more looks who is frozen, after Param.frozen has changed. Who no longer is begins after so many steps of the run: its averages are those of a
 * first step. Allocates: not within a step. */
void       optimizer_regroup(Optimizer *optimizer, uint64_t steps);

/* From now on the ranks, which have the same weights and gradients before a step, share out its matrix products and give each other the weights; all of
 * them have every state. NULL: one process. Called once, by all ranks, as optimizer_step is from then on. */
void       optimizer_share(Optimizer *optimizer, Ranks *ranks);

/* One step on the current gradients, which clipping may change; those of frozen parameters become zero. Returns the gradient's norm before clipping; when it is not finite
 * nothing is changed. */
double optimizer_step(Optimizer *optimizer, float lr);

#endif
