/* program.h - the compiled form: how a network runs.
 *
 * program_compile walks the tape for one batch size, one purpose and one plan: forward, and for
 * gradients in reverse; every module emits its kernels, buffers are placed in one arena by
 * lifetime. Running a program executes a flat list of kernels; nothing is allocated, created or
 * planned in a step. Several programs share one network's parameters.
 *
 * A program runs with as many OpenMP threads as it was compiled for (omp_set_num_threads holds for the calling thread alone).
 * Compiling counts the threads that a parallel region really has and sets OpenMP to that number (threads.h).
 * Only one thread at a time may compile or run programs. */

#ifndef CONVZOO_PROGRAM_H
#define CONVZOO_PROGRAM_H

#include "network.h"

#include <stdio.h>

typedef enum {
    STATISTICS_running,        /* batch norm's mean and variance are the running ones, constants */
    STATISTICS_batch,          /* they are the batch's, and the running ones follow them; not in modules that are frozen */
} Statistics;

typedef enum {
    GRADIENTS_none,
    GRADIENTS_tensors,         /* of the watched tensors */
    GRADIENTS_parameters,      /* of every parameter that is not frozen (Param.frozen), and of the watched tensors */
} Gradients;

/* What a program is compiled for. */
typedef struct Purpose {
    Statistics           statistics;
    bool                 dropout;            /* dropout and drop path draw; without, they pass on what they read */
    Gradients            gradients;          /* which ones program_backward computes */
    /* Tensors whose values, and gradients if there are any, can be read after a run: program_watched_values. Each is then kept in
     * memory, and not fused away. The list itself is copied. */
    const Tensor *const *watched;
    int                  watched_count;
    bool                 shares_arena;       /* takes no memory to work in: program_set_arena gives it some before the first run */
} Purpose;

/* The two usual ones, without watched tensors: all of training, or nothing of it. */
extern const Purpose PURPOSE_training, PURPOSE_inference;

typedef enum {
    LAYOUT_automatic,          /* the network's own best, without measuring */
    LAYOUT_blocked,            /* oneDNN's choice: channels in blocks of a vector */
    LAYOUT_channels_last,      /* N H W C everywhere */
    LAYOUT_batch_last,         /* N/16 C H W 16, for a few channels; blocked if the batch is no multiple of 16 */
} LayoutPolicy;

typedef enum {
    PRECISION_f32,
    PRECISION_mixed,           /* operands rounded to 16 bits where that is faster, bf16 or integers; all else f32 */
    PRECISION_bf16,            /* bf16 in every layer that can: for tests */
} Precision;

/* True if this processor multiplies bf16 by instructions of its own. */
bool program_can_bf16(void);

/* "avx512 and 0x3ff, oneDNN 2.6.3": whose kernels a program is made of. Speed and last bits depend on it. Returns text. */
const char *program_kernels(char *text, size_t size);

/* How a convolution or a linear layer is computed. */
#define ALGORITHM_direct     'd'      /* oneDNN's, f32 */
#define ALGORITHM_bf16       'h'      /* oneDNN's, half the bits */
#define ALGORITHM_winograd   'w'
#define ALGORITHM_int16      'i'      /* the same with products of 16-bit integers, in mixed precision */
#define ALGORITHM_depthwise  'c'      /* our own, channel by channel */
#define ALGORITHM_batch_last 'n'      /* our own, image by image */
#define ALGORITHMS           "dhwicn"

enum { PLAN_MOST_LAYERS = 255 };

/* What may vary for speed; results stay within the tolerances of the tests. {0} is the default plan. */
typedef struct Plan {
    LayoutPolicy layout;
    bool         direct_only;      /* no Winograd: f32 results as close to PyTorch's as can be */
    Precision    precision;
    /* How each convolution and linear layer is computed, one letter a layer in the network's order; '.',
     * a letter that does not fit its layer, or none: by the rules. */
    char         layers[PLAN_MOST_LAYERS + 1];
    bool         measured;         /* to be replaced by one that plan_measure has chosen (measure.h), before it is compiled */
    bool         no_fusion;        /* every module runs its own kernels: for tests and profiles */
} Plan;

/* Compiles for `batch` samples. The first program compiled fixes the parameters' layout.
 * Exits with EXIT_memory and a line if memory runs out. */
Program *program_compile(Network *network, const Plan *plan, Purpose purpose, int batch);
void     program_free(Program *program);

/* N C H W f32, batch samples; the caller fills it before program_forward. */
float *program_image(Program *program);
/* Reads the images from elsewhere from now on: batch samples N C H W f32, 64-byte aligned. */
void   program_set_image(Program *program, const float *image);
/* Whether all of these values are 0; it stops at the first that is not. A network whose weights are so learns nothing, and is not run. */
bool   program_values_are_zero(const float *values, size_t count);
/* batch x classes, written by program_forward, valid until the next program_forward or program_backward. */
const float *program_logits(const Program *program);
/* batch x classes: d loss / d logits, filled by the caller before program_backward. */
float *program_logits_gradient(Program *program);
int    program_batch(const Program *program);
Network *program_network(const Program *program);

/* Keys the random numbers of the next step (dropout). */
void program_set_step(Program *program, uint64_t seed, uint64_t step);

/* The network must have values: parameters_init, or checkpoint_load. */
void program_forward(Program *program);
/* Writes every trained parameter's gradient to network_parameters()->gradients (overwrites, no sum), if those are asked for. */
void program_backward(Program *program);

/* ---- where its results go, and when (gradients.c) ---- */

/* Called by program_backward after each kernel, with the number of those that have run. NULL: nobody. */
typedef void BackwardWatch(void *context, int kernels);
void program_watch_backward(Program *program, BackwardWatch *watch, void *context);
/* After how many kernels of backward the gradient of a parameter is complete; 0: this program writes none. */
int  program_gradient_done(const Program *program, const Param *param);

/* From now on gradients are written to, and running statistics kept in, blocks of the caller's, arranged as in Parameters: `trained` floats,
 * and the `total` - `trained` floats that follow them in values. Counters of batches stand still then. Programs of one
 * thread with blocks and arenas of their own may run at the same time. After it is compiled, for training. */
void program_set_blocks(Program *program, float *gradients, float *statistics);
/* The network's statistics have moved by one batch. program_forward calls it, unless the program has blocks of its own. */
void program_count_batch(Program *program);

/* What the i-th watched tensor holds since the last program_forward, and the loss's gradient by it since the last
 * program_backward: batch x c x h x w numbers, N C H W. */
void program_watched_values(Program *program, int i, float *values);
void program_watched_gradient(Program *program, int i, float *gradient);

/* Bytes of the arena that the kernels work in, parameters not counted. */
size_t program_arena_bytes(const Program *program);
/* The kernels work in the caller's memory from now on: program_arena_bytes, aligned to 64 bytes, whatever they hold. Programs that run in turn may
 * have the same: what one has computed, its logits too, is gone when another runs. For a purpose with shares_arena. */
void   program_set_arena(Program *program, void *arena);

/* ---- looking inside ---- */

typedef struct KernelProfile {
    const char *module;           /* the module's name */
    const char *what;             /* "forward", "backward data", "reorder", ... */
    bool        bf16;             /* reads or writes some */
    int         layer;            /* index of the module for whose sake it runs: a reorder's reader */
    const char *implementation;   /* oneDNN's name of the kernel, or our own */
    double      seconds;          /* summed over the profiled runs */
    double      flops;            /* of one run */
    double      bytes;            /* read and written in one run */
} KernelProfile;

/* Switches per-kernel timing on or off (off at the start, and then free of cost). */
void program_profile(Program *program, bool on);
/* Fills one row a kernel in order of execution; returns the number of kernels. rows may be NULL. */
int  program_profile_rows(const Program *program, KernelProfile *rows, int most);

/* Prints a line for every kernel of a step: its module, what it does, the buffers that it reads and writes; then a line for every
 * buffer: its place in the arena, its bytes, the first and last kernel that need it. */
void program_print_kernels(const Program *program, FILE *stream);

#endif
