/* program_build.h - inside the engine: what a Program holds, which runs. What is needed only while it is compiled: emitter.h. */

#ifndef CONVZOO_PROGRAM_BUILD_H
#define CONVZOO_PROGRAM_BUILD_H

#include "emit.h"
#include "list.h"
#include "network_build.h"

typedef enum {
    BUFFER_arena,         /* placed by lifetime */
    BUFFER_image,         /* the caller's, or `own_image` */
    BUFFER_caller,        /* the caller's, other at every call */
    BUFFER_values,        /* a parameter in the network's values */
    BUFFER_gradients,     /* its gradient in the network's block */
    BUFFER_copy,          /* a parameter in another layout, refreshed when the values change */
} BufferPlace;

struct Buffer {
    Buffer                  *root;        /* whose bytes these are: itself, or what it aliases */
    BufferPlace              place;
    const_dnnl_memory_desc_t layout;      /* NULL for scratch */
    size_t                   size;        /* bytes */
    int                      first, last; /* kernels, of the root; first > last: unused */
    size_t                   offset;      /* in the arena or the copies */
    const Param             *param;
    char                    *pointer;     /* when the program is complete */
};

/* What a kernel does with a buffer. */
typedef enum {
    ACCESS_scratch,
    ACCESS_read,
    ACCESS_write,
    ACCESS_update,        /* both */
} Access;

typedef struct Binding {
    int                      slot;        /* DNNL_ARG_*, or the pointer's place in the call */
    Access                   access;
    Buffer                  *buffer;
    const_dnnl_memory_desc_t layout;
} Binding;

/* When a kernel runs. */
typedef enum {
    TURN_step,            /* in every step, in order */
    TURN_refresh,         /* when the parameters have changed, before forward */
    TURN_watch,           /* when somebody asks for a watched tensor */
    TURN_COUNT,
} Turn;

struct Kernel {
    Program        *program;
    int             index;                /* among those of its turn */
    const Module   *module;
    const char     *what;
    int             layer;                /* index of the module that was emitting */
    Turn            turn;
    dnnl_primitive_t primitive;           /* or */
    CallFunction    *run;
    char            *call;                /* its copy, and until the pointers are bound, where it was copied from */
    const char      *call_from;
    size_t           call_size;
    Binding          bindings[KERNEL_MAX_SLOTS];
    int              count;
    Buffer          *in_place_read, *in_place_written;
    dnnl_exec_arg_t  arguments[KERNEL_MAX_SLOTS];      /* when complete */
    char             implementation[48];
    double           flops, seconds;
};

/* A tensor that is read after a run. */
typedef struct Watch {
    const Tensor *tensor;
    Kernel       *values, *gradient;      /* copy it out; gradient NULL: there is none */
} Watch;

struct Program {
    Network      *network;
    Plan          plan;
    Purpose       purpose;                /* without its list of watched tensors: */
    Watch        *watches;
    int           watch_count;
    int           batch;
    int           threads;                /* that kernels' scratch memory is sized for */
    StepKey       key;

    List          layouts, buffers, kernels[TURN_COUNT];      /* owned */
    Buffer       *image, *logits, *logits_gradient;
    int           loss_at;                /* kernels before it are forward, from it on backward */

    char         *arena, *copies;         /* the arena is the caller's in a purpose with shares_arena; NULL: not yet given */
    float        *own_image;
    size_t        arena_size, copies_size;
    uint64_t      version;                /* of the parameters in the copies */
    bool          profiling;
    bool          own_blocks;             /* gradients and statistics go elsewhere than into the network's */
    BackwardWatch *watch;                 /* NULL: nobody */
    void         *watch_context;
};

/* layout NULL: of `size` bytes. */
Buffer *program_buffer(Program *program, BufferPlace place, const_dnnl_memory_desc_t layout, size_t size);
/* Makes `kernel` the current user of buffer. */
void    buffer_use(Buffer *buffer, const Kernel *kernel);
/* Its bytes are elsewhere from now on, for all kernels. */
void    buffer_move(Program *program, Buffer *buffer, float *pointer);
/* Whose bytes these are. */
Buffer *buffer_root(Buffer *buffer);
/* Whether a gradient of the parameter is asked for. */
bool    program_trains_param(const Program *program, const Param *param);
/* Places every arena buffer (arena.c). */
void    program_place_buffers(Program *program);
/* Points them, and the kernels, to where the arena is (arena.c). All other buffers have their pointer. */
void    program_point_arena(Program *program, char *arena);
/* Makes arguments and pointers out of the bindings, when all buffers have their pointer, or have other ones (kernel.c). */
void    kernel_complete(Kernel *kernel);
void    kernel_point(Kernel *kernel, const Buffer *buffer);       /* the buffer's pointer has changed */
void    kernel_run(Kernel *kernel);
void    kernel_free(void *kernel);
/* Runs kernels `from` to `to` - 1 of those of a turn, and waits for the last. */
void    program_run(Program *program, Turn turn, int from, int to);

#endif
