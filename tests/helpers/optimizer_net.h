/* optimizer_net.h - a small network in every layout, for tests of optimisers: its channels are no multiple of a vector, and weights and
 * gradients come from a formula that make_optimizer_golden.py has too. */

#ifndef CONVZOO_OPTIMIZER_NET_H
#define CONVZOO_OPTIMIZER_NET_H

#include "optimizer.h"
#include "program.h"

enum { NET_STEPS = 10, NET_PARAMS = 16, NET_MOST = 256, NET_PLANS = 4 };      /* parameters, and values of one, at most */

extern const Plan        net_plans[NET_PLANS];
extern const char *const net_plan_names[NET_PLANS];

typedef struct OptimizerNet {
    Network *net;
    Program *program;
} OptimizerNet;

/* conv 3 -> 5, batch norm, mix 5 -> 19 (1 x 1), fc 19 -> 7; compiled for training. */
OptimizerNet optimizer_net(const Plan *plan);
void         optimizer_net_free(OptimizerNet *net);

/* The formula: keys 7000 + p for the values of parameter p, 100 p + s for its gradient in step s. */
double net_number(uint64_t key, uint64_t i);
int    net_trained(Network *net, const Param **params);
/* Parameter p of the block from key + stride p. */
void   net_fill(Network *net, float *block, uint64_t key, uint64_t stride);
/* NET_STEPS steps from the formula's values, with its gradients and the rates lr (1 - s / 20). */
void   net_run(Network *net, Optimizer *optimizer, float lr);
/* Between the parameters' values everything is zero. */
void   net_expect_padding(const char *name, Network *net, const float *block);

/* Options under which every rule does all it can. */
OptimizerOptions net_options(OptimizerKind kind);

#endif
