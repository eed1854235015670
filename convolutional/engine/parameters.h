/* parameters.h - the values of a network's parameters, in flat blocks.
 *
 * values, gradients and every optimiser state share one arrangement:
 *
 *   [ weights (decayed) | biases, norms (not decayed) | running statistics ]
 *   0                   decayed                       trained             total      floats
 *
 * Each parameter lies in the layout that computation wants, chosen when the first program is
 * compiled; until then, and in files, it is plain (OIHW). Padding is zero and stays zero, so that
 * optimiser, norm and average are single loops over a block. */

#ifndef CONVZOO_PARAMETERS_H
#define CONVZOO_PARAMETERS_H

#include "network.h"
#include "statistics_join.h"

typedef struct Parameters {
    float   *values;          /* total floats, 64-byte aligned */
    float   *gradients;       /* trained floats; NULL until a training program is compiled */
    int64_t *counters;        /* one a PARAM_counter parameter, in order */
    size_t   decayed, trained, total;
    bool     cumulative;      /* running statistics are the mean of all batches since their counters were 0, not the moving average */
    const StatisticsJoin *join;      /* batch norm's statistics are those of several processes' images; NULL: of this one's */
    uint64_t version;         /* goes up whenever the values change: inference programs refresh themselves */
} Parameters;

/* Owned by the network; the pointers stay valid until the first program of the network is compiled. */
Parameters *network_parameters(Network *network);

/* The first parameter that is not as the other network's in its place: another name, role or shape; NULL: there is none. */
const Param *parameters_differ(const Network *network, const Network *other);
/* The network's values are the owner's from now on: two tapes, for images of two sizes, train one set of parameters. The network has no
 * values yet, and no parameter that differs; the owner outlives it. */
void parameters_borrow(Network *network, Network *owner);

/* Draws every value from `seed` as its Init says; statistics and counters start afresh. */
void parameters_init(Network *network, uint64_t seed);

/* One parameter between `block` (arranged as values) and `plain` (param->count floats, the file's order).
 * Not for counters. Bumps the version if block is the values. */
void parameters_export(const Network *network, const float *block, const Param *param, float *plain);
void parameters_import(Network *network, float *block, const Param *param, const float *plain);

/* Where a parameter lies in a block, padding included: `room` floats from `offset` on. Not for counters. */
typedef struct ParamSpan {
    size_t offset, room;
} ParamSpan;

ParamSpan parameters_span(const Network *network, const Param *param);

/* positions[i]: where in its span the parameter's value i of the file's order lies. param->count of them. What they leave out is
 * padding. Valid once the layout is fixed, after the first program is compiled. */
void parameters_positions(const Network *network, const Param *param, uint32_t *positions);

/* The counter of a PARAM_counter parameter. */
int64_t *parameters_counter(Network *network, const Param *param);

#endif
