/* network.h - the declaration: what a network is.
 *
 * An architecture function calls module constructors (modules.h). Each checks and derives shapes,
 * registers its parameters by name and appends itself to the tape. Nothing here knows a batch
 * size, a layout or oneDNN: how the network runs is the Program's affair (program.h).
 *
 * The network owns everything built in it; network_free is the only free. */

#ifndef CONVZOO_NETWORK_H
#define CONVZOO_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "activations.h"

typedef struct Network Network;
typedef struct Program Program;
typedef struct Emitter Emitter;                          /* a program that is being compiled: emit.h */
typedef struct Module  Module;
typedef struct ModuleDescription ModuleDescription;      /* description.h */

/* One sample's sizes; the batch comes with the program. */
typedef struct { int c, h, w; } Shape;

/* Values of one sample. */
static inline size_t shape_size(Shape s)
{
    return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

typedef struct Tensor {
    Shape   shape;
    int     index;         /* position among the network's tensors */
    int     readers;       /* how many modules read it; several: their gradients are summed */
    Module *producer;      /* NULL for the image */
} Tensor;

/* What a parameter is to the optimiser. */
typedef enum {
    PARAM_weight,          /* convolution and linear weights: decayed */
    PARAM_plain,           /* biases, norms, scales, slopes: not decayed */
    PARAM_buffer,          /* running statistics: saved, not trained */
    PARAM_counter,         /* one 64-bit integer, shape []: saved, not trained */
} ParamRole;

/* How the values start: a constant, or uniform with variance (gain^2 / fan_in). */
typedef struct {
    float constant;
    int   fan_in;          /* > 0: random */
    float gain;
    bool  identity;        /* convolutions: filter i passes channel i on, as far as there are both */
} Init;

enum { PARAM_MAX_RANK = 4 };

typedef struct Param {
    const char *name;                    /* scoped path, the state_dict key */
    const char *part;                    /* what it is in its module's formula: "weight", "running_mean" */
    const Module *module;                /* whose it is */
    ParamRole   role;
    int         rank;
    int64_t     dims[PARAM_MAX_RANK];    /* as the file has them: OIHW, [out, in], [c] */
    size_t      count;                   /* product of dims */
    Init        init;
    int         index;                   /* position in the state_dict */
    /* Left alone by programs that are compiled from now on: its gradient stays 0, and none is computed below the lowest parameter
     * that is trained. A module whose trained parameters are all frozen runs as in inference: batch norm takes its running
     * statistics, and leaves them as they are. */
    bool        frozen;
} Param;

/* Whether the optimiser moves it, while it is not frozen. */
static inline bool param_is_trained(const Param *param)
{
    return param->role == PARAM_weight || param->role == PARAM_plain;
}

/* What a module does when a program is compiled, and what others need to know of it. */
typedef struct ModuleOps {
    const char *kind;                                        /* "conv2d" */
    void  (*forward)(const Module *module, Emitter *emitter);    /* emits the forward kernels */
    void  (*backward)(const Module *module, Emitter *emitter);   /* emits the backward kernels; NULL: nothing to do */
    void  (*recompute)(const Module *module, Emitter *emitter);      /* emits anew what writes its output: see emit_recompute */
    char  (*algorithm)(const Module *module, const Program *program);     /* ALGORITHM_ (program.h); NULL: there is no choice */
    double (*macs)(const Module *module);                    /* multiply-adds a sample; NULL: not worth counting */
    Activation (*function)(const Module *module);            /* pointwise modules: which function, so that others can take it in */
    void  (*describe)(const Module *module, ModuleDescription *description);      /* the numbers it was built with; NULL: none */

    /* Traits; what a module does not say, it does not have. */
    bool  batch_statistics;        /* training takes a mean and a variance of each channel over the batch: its input's scale is lost */
    bool  normalises;              /* its parameters are a scale and a shift of what it has normalised */
    bool  keeps_scale;             /* twice the input gives twice the output: what normalises behind it does not see the scale either */
    bool  sums;                    /* the output is the sum of the two inputs, and nothing else */
    bool  takes_sum;               /* a sum that follows can run inside its kernels (emit.h: Fusion), */
    bool  takes_activation;        /* an activation as well */
    bool  training_only;           /* in inference the output is the input */
    bool  wants_channels_last;     /* slow where the channels of a pixel do not lie together */
} ModuleOps;

enum { MODULE_MAX_INPUTS = 2 };

/* First member of every module's struct. */
struct Module {
    const ModuleOps *ops;
    const char      *name;                      /* scoped path */
    const Tensor    *in[MODULE_MAX_INPUTS];
    int              inputs;
    Tensor          *out;
    int              index;                     /* position on the tape */
};

/* ---- building ---- */

Network *network_new(void);
void     network_free(Network *network);

/* The image that the network reads: channels, height, width. Once per network, first. */
Tensor *network_input(Network *network, Shape shape);

/* The gain that weights of the constructors to come start with; 1 at first. It fits the activation (activations.h). */
void  network_set_gain(Network *network, float gain);
float network_gain(const Network *network);

/* Batch norm's eps and momentum in the constructors to come, whatever their options say; 0, at first: as they say. */
void  network_set_norm(Network *network, float eps, float momentum);
float network_norm_eps(const Network *network);
float network_norm_momentum(const Network *network);

/* Names of what follows start with `name.`; scopes nest. */
void scope_push(Network *network, const char *format, ...) __attribute__((format(printf, 2, 3)));
void scope_pop(Network *network);

/* For module constructors: memory of `size` bytes that starts with a Module, on the tape, with its
 * inputs noted. `name` may be "" for a module without parameters of its own name. */
void   *network_add_module(Network *network, size_t size, const ModuleOps *ops, const char *name,
                           const Tensor *first, const Tensor *second);
/* Sets and returns the module's output. */
Tensor *network_add_output(Network *network, void *module, Shape shape);
/* A parameter named <module's name>.<name>, or <scope>.<name> for a module named "". */
Param  *network_add_param(Network *network, const void *module, const char *name, ParamRole role,
                          int rank, const int64_t *dims, Init init);

/* ---- reading ---- */

const Tensor *network_image(const Network *network);
const Tensor *network_logits(const Network *network);     /* the last module's output */
int           network_module_count(const Network *network);
const Module *network_module(const Network *network, int index);
int           network_tensor_count(const Network *network);
int           network_param_count(const Network *network);        /* every state_dict entry */
Param        *network_param(const Network *network, int index);
Param        *network_param_find(const Network *network, const char *name);   /* NULL if there is none */
Param        *network_param_of(const Network *network, const Module *module, const char *part);      /* likewise */
/* Whether the module has trained parameters, and all of them are frozen. */
bool          network_freezes(const Network *network, const Module *module);
/* Trained values (weights and plain), what papers count. */
size_t        network_trained_count(const Network *network);
/* False and a line if the network cannot be trained on batches of this size: a module that takes each channel's variance over the
 * batch would see one value a channel, whose variance is 0. */
bool          network_trains_with(const Network *network, int batch, Error *error);
/* False and a line if the memory cannot hold what the largest module reads and writes of a batch of this size, let alone the rest. */
bool          network_fits(const Network *network, int batch, Error *error);
double        network_macs(const Network *network);

#endif
