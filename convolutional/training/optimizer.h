/* optimizer.h - SGD and AdamW over the flat parameter blocks.
 *
 * sgd     g += wd w;  v = momentum v + g;  w -= lr (nesterov ? g + momentum v : v)     Sutskever et al., 2013; PyTorch's form
 * adamw   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;
 *         w -= lr wd w;  w -= lr m^ / (sqrt(v^) + eps)                                 Loshchilov and Hutter, arXiv:1711.05101
 * Weight decay touches only the block's decayed part. */

#ifndef CONVZOO_OPTIMIZER_H
#define CONVZOO_OPTIMIZER_H

#include "errors.h"
#include "parameters.h"

typedef enum { OPTIMIZER_sgd, OPTIMIZER_adamw, OPTIMIZER_COUNT } OptimizerKind;

enum { OPTIMIZER_STATES = 2 };      /* blocks of state, at most */

typedef struct OptimizerOptions {
    OptimizerKind kind;
    float momentum;            /* sgd */
    bool  nesterov;            /* sgd */
    float beta1, beta2, eps;   /* adamw */
    float weight_decay;
    float clip_norm;           /* scale gradients down to this norm; 0: no */
} OptimizerOptions;

typedef struct Optimizer {
    OptimizerOptions options;
    Network         *network;
    int              states;           /* moment blocks: sgd 1, adamw 2 */
    size_t           count;            /* floats of a block */
    float           *state[OPTIMIZER_STATES];      /* each arranged as the parameters' trained part */
    uint64_t         steps;            /* done; adamw's bias correction */
} Optimizer;

/* Names of the kinds, and of their states in a checkpoint ("momentum_buffer"; "exp_avg", "exp_avg_sq"). */
const char *optimizer_name(OptimizerKind kind);
const char *optimizer_names(void);
bool        optimizer_parse(const char *name, OptimizerKind *kind, Error *error);
const char *optimizer_state_name(OptimizerKind kind, int state);

/* After the training program is compiled, which fixes the layout: optimizer_step checks that. Allocates the states, zero. */
Optimizer *optimizer_new(Network *network, const OptimizerOptions *options);
void       optimizer_free(Optimizer *optimizer);

/* One step on the current gradients. Returns the gradient's norm before clipping; when it is not finite
 * nothing is changed. */
double optimizer_step(Optimizer *optimizer, float lr);

#endif
