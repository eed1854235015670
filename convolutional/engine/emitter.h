/* emitter.h - inside the engine: what lives while a program is compiled, and no longer. */

#ifndef CONVZOO_EMITTER_H
#define CONVZOO_EMITTER_H

#include "program_build.h"

enum { MODULE_MAX_SAVED = 4 };

/* A tensor inside the program. */
typedef struct TensorState {
    Buffer *values;
    List    copies;                                    /* Buffer: the values in other layouts */
    const_dnnl_memory_desc_t layout;                   /* of the values */
    const Module *recompute;                           /* computes them anew in backward, instead of keeping them; or NULL */
    List    shares;                                    /* Buffer: gradient shares, one a reader */
    Buffer *gradient;                                  /* their sum */
    bool    wanted;                                    /* there is something to train at or below its producer */
    List    gradient_copies;                           /* Buffer */
} TensorState;

typedef struct ParamCopy {
    const Param *param;
    Buffer      *buffer;
} ParamCopy;

struct Emitter {
    Program      *program;                /* what comes of it */
    Fusion       *fusions;                /* one a module */
    Buffer     *(*saved)[MODULE_MAX_SAVED];   /* one row a module */
    int          *head_at;                /* the head whose kernels are emitted in this module's place; -1: none */
    TensorState  *tensors;                /* one a tensor */
    List          param_copies;           /* ParamCopy */
    List          pending;                /* gradients to reorder when the module is done: two Buffers each, from and to */
    int           emitting;               /* index of the module whose turn it is */
    bool          recomputing;            /* it writes once more what it had written in forward */
};

/* Everything that runs: emits the kernels of a program that knows its network, plan, purpose and batch (emit.c). */
void emit_all(Program *program);

/* Fills fusions and head_at (fusion.c). */
void emit_fuse(Emitter *emitter);
/* Keep watched tensors to the end of the run: after forward's kernels, and after backward's (watch.c). */
void emit_watched_values(Emitter *emitter);
void emit_watched_gradients(Emitter *emitter);

TensorState *emit_state(const Emitter *emitter, const Tensor *tensor);
/* Forward is over: drops the values of tensors that are computed anew (emit_tensor.c). */
void emit_begin_backward(Emitter *emitter);
/* Finds which tensors' gradients are wanted (emit_gradient.c). */
void emit_want_gradients(Emitter *emitter);
/* Emits what emit_param_gradient left pending (emit_param.c). */
void emit_flush_pending(Emitter *emitter);

/* The program takes the descriptor. */
const_dnnl_memory_desc_t emit_own_layout(Emitter *emitter, dnnl_memory_desc_t layout);
/* `buffer`, described as `layout`: itself if it is so already. */
Buffer *emit_as(Emitter *emitter, Buffer *buffer, const_dnnl_memory_desc_t layout);
/* `values` or one of its copies in `layout`; a new copy, and the reorder that makes it, if there is none. */
Buffer *emit_in_layout(Emitter *emitter, const Module *module, Buffer *values, List *copies, const_dnnl_memory_desc_t layout);
/* Between buffers that exist; in every step, or into a parameter's copy when the parameter has changed. */
void    emit_reorder(Emitter *emitter, const Module *module, Buffer *from, Buffer *to);
Kernel *emit_reorder_at(Emitter *emitter, const Module *module, Turn turn, Buffer *from, Buffer *to);
/* emit_primitive, of a kernel that runs at another time. */
Kernel *emit_primitive_at(Emitter *emitter, const Module *module, const char *what, dnnl_primitive_desc_t pd, Turn turn);

#endif
