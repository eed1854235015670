/* network_build.h - inside the engine: what a Network holds. */

#ifndef CONVZOO_NETWORK_BUILD_H
#define CONVZOO_NETWORK_BUILD_H

#include "list.h"
#include "onednn.h"
#include "parameters.h"

/* Where a parameter lies in the flat blocks. */
typedef struct ParamPlace {
    dnnl_memory_desc_t layout;      /* that a program chose, in use once the network is settled; NULL: plain, as counters are */
    size_t             offset;      /* floats from the block's start */
    size_t             room;        /* floats, padding included, a multiple of 16 */
    int                counter;     /* index among the counters */
} ParamPlace;

enum { SCOPE_MAX_DEPTH = 8, NAME_ROOM = 256 };

struct Network {
    List    modules, tensors, params;            /* owned */
    List    texts;                               /* names, owned */
    char    scope[NAME_ROOM];
    size_t  scope_starts[SCOPE_MAX_DEPTH];
    int     scope_depth;
    Tensor *image;
    float   gain, norm_eps, norm_momentum;

    Parameters  parameters;
    ParamPlace *places;                          /* one a parameter, made by parameters_place */
    bool        placed, settled;                 /* values exist; their layout is final */
    Network    *owner;                           /* whose values these are; NULL: its own */
};

/* Whose fields from `parameters` on hold the network's values. */
static inline Network *network_owner(const Network *network)
{
    return network->owner ? network->owner : (Network *)network;
}

/* Gives every parameter its place and storage, plain. Once, when the network is complete. Where memory runs out here or in
 * parameters_settle, the network is as it was. */
void parameters_place(Network *network);
/* A layout that a program wants for a parameter, or the one it has got already. The desc is cloned. */
const_dnnl_memory_desc_t parameters_choose_layout(Network *network, const Param *param, const_dnnl_memory_desc_t wanted);
/* Moves all values into their chosen layouts and makes the choice final; no-op from the second call on. */
void parameters_settle(Network *network);
/* Allocates the gradients' block if there is none. */
void parameters_need_gradients(Network *network);
void parameters_free(Network *network);

/* The only module that reads a tensor; NULL if there are several or none. */
const Module *network_only_reader(const Network *network, const Tensor *tensor);

#endif
