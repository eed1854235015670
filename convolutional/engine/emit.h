/* emit.h - what a module's forward and backward use to put kernels into a program, through the Emitter that lives while it is compiled.
 *
 * A Buffer is a tensor's bytes in one layout inside one program. Reading a tensor in another layout than
 * it has inserts one reorder, shared by all who ask for the same. A buffer lives from the first kernel that is
 * bound to it to the last; the arena gives its place to others before and after. */

#ifndef CONVZOO_EMIT_H
#define CONVZOO_EMIT_H

#include "activations.h"
#include "layout.h"
#include "program.h"

typedef struct Buffer Buffer;
typedef struct Kernel Kernel;

/* ---- what the module should know of the program ---- */

const Plan *program_plan(const Program *program);

/* Whether the module's mean and variance are the batch's; else the running ones, constants: in inference, or while it is frozen. */
bool        program_takes_statistics(const Program *program, const Module *module);
/* Whether dropout and drop path draw. */
bool        program_drops(const Program *program);
/* Whether gradients are computed after forward, of whatever. */
bool        program_has_backward(const Program *program);
/* What oneDNN calls that: a forward whose backward follows, or not. */
dnnl_prop_kind_t program_forward_kind(const Program *program);
/* Whether the tensor's values and gradient are read from outside after a run. */
bool        program_watches(const Program *program, const Tensor *tensor);

/* What is being compiled. */
const Program *emit_program(const Emitter *emitter);

/* Descriptors made here are destroyed with the program. */
const_dnnl_memory_desc_t emit_layout(Emitter *emitter, int rank, const int64_t *dims, dnnl_format_tag_t tag);
/* A copy of a descriptor that something shorter-lived owns. */
const_dnnl_memory_desc_t emit_keep_layout(Emitter *emitter, const_dnnl_memory_desc_t layout);
/* n c h w of a tensor with the given tag. */
const_dnnl_memory_desc_t emit_tensor_layout(Emitter *emitter, const Tensor *tensor, dnnl_format_tag_t tag);
/* nChw16c or nChw8c: blocks of kernels_block() channels. */
const_dnnl_memory_desc_t emit_blocked_layout(Emitter *emitter, const Tensor *tensor);
/* What a convolution should ask for by the plan: channels last, whole blocks, or any where neither fits. */
const_dnnl_memory_desc_t emit_preferred_layout(Emitter *emitter, const Tensor *tensor);
/* N/16 C H W 16 (kernels.h). */
const_dnnl_memory_desc_t emit_batch_last_layout(Emitter *emitter, const Tensor *tensor);
/* How a tensor that is written lies, and how emit_read_view gives it. Neither reads it. */
const_dnnl_memory_desc_t emit_values_layout(const Emitter *emitter, const Tensor *tensor);
const_dnnl_memory_desc_t emit_view_layout(Emitter *emitter, const Tensor *tensor);
/* This layout, of bf16 numbers if `bf16`. */
const_dnnl_memory_desc_t emit_layout_in(Emitter *emitter, const_dnnl_memory_desc_t layout, bool bf16);
/* Of a 1 x 1 image: n x padded floats, channels padded as `view` pads them. */
const_dnnl_memory_desc_t emit_pixel_layout(Emitter *emitter, const Tensor *tensor, const View *view);
/* Row-major. */
const_dnnl_memory_desc_t emit_plain_layout(Emitter *emitter, const Tensor *tensor);
/* What a primitive wants or gives there. */
const_dnnl_memory_desc_t emit_asked_layout(Emitter *emitter, const_dnnl_primitive_desc_t pd, dnnl_query_t what);

/* ---- how a layer is computed ---- */

/* Which operands of a product are bf16; the others are f32. */
typedef struct OperandTypes {
    bool x, y, weight;
} OperandTypes;

/* The letter that the plan has for this layer, '.' if none. */
char program_planned_algorithm(const Program *program, const Module *module);

/* ---- precision (precision.c) ---- */

/* True if this layer of `macs` multiply-adds a sample gains by computing its products in bf16, by the plan's precision;
 * conversions: how many weights are converted in a step. */
bool program_prefers_bf16(const Program *program, const Module *module, double conversions, double macs);
/* True if the plan's precision allows products in bf16 or of 16-bit integers. */
bool program_allows_16_bits(const Program *program);
/* True if a tensor's values and gradient are bf16: all who write and read it take them so. */
bool program_is_bf16(const Program *program, const Tensor *tensor);

/* ---- tensors ---- */

/* The tensor's values; layout NULL: as they lie. */
Buffer *emit_read(Emitter *emitter, const Tensor *tensor, const_dnnl_memory_desc_t layout);
/* The same in one of view.h's layouts: as the values lie if that is one, else plain. */
Buffer *emit_read_view(Emitter *emitter, const Tensor *tensor);
/* The same for work that goes channel by channel and does not ask which image a pixel is of: batch last as well. */
Buffer *emit_read_channels(Emitter *emitter, const Tensor *tensor);
/* The same for work that goes number by number: bf16 as well. */
Buffer *emit_read_numbers(Emitter *emitter, const Tensor *tensor);
/* Where the producer puts them. */
Buffer *emit_write(Emitter *emitter, const Tensor *tensor, const_dnnl_memory_desc_t layout);
/* The values need not be kept for backward: where they are read there, the `recompute` of `module`, which wrote them, writes
 * them anew. Called in forward, by that module or by a reader. Without effect on a watched tensor. */
void    emit_recompute(Emitter *emitter, const Tensor *tensor, const Module *module);
/* True if they are not kept. */
bool    emit_recomputes(const Emitter *emitter, const Tensor *tensor);
/* The tensor is the same bytes as `buffer`, read as `layout`. */
void    emit_alias(Emitter *emitter, const Tensor *tensor, Buffer *buffer, const_dnnl_memory_desc_t layout);

/* The summed gradient of a tensor; layout NULL: as it lies. */
Buffer *emit_read_gradient(Emitter *emitter, const Tensor *tensor, const_dnnl_memory_desc_t layout);
/* Where one reader of a tensor puts its share of the gradient, */
Buffer *emit_write_gradient(Emitter *emitter, const Tensor *tensor, const_dnnl_memory_desc_t layout);
/* or an existing buffer, read as `layout`, that is its share. */
void    emit_share_gradient(Emitter *emitter, const Tensor *tensor, Buffer *buffer, const_dnnl_memory_desc_t layout);
/* False where there is nothing to train at or below its producer, and nothing watched. */
bool    emit_wants_gradient(const Emitter *emitter, const Tensor *tensor);

/* A parameter's values in `layout` (NULL: a vector as it is in the file). The first program's wish becomes the place
 * where the parameter lives; other wishes get a copy. */
Buffer *emit_param(Emitter *emitter, const Param *param, const_dnnl_memory_desc_t layout);
/* Where its gradient is to be written; that of one that is not trained is dropped. */
Buffer *emit_param_gradient(Emitter *emitter, const Param *param, const_dnnl_memory_desc_t layout);

/* Whether gradients of the module's own parameters are to be computed: those are asked for, and it has some that are not frozen. */
bool    program_trains(const Program *program, const Module *module);

/* Bytes that live from their first kernel to their last: saved statistics, masks, scratch. */
Buffer *emit_scratch(Emitter *emitter, size_t bytes);

/* What a module's forward leaves for its backward. */
void    emit_save(Emitter *emitter, const Module *module, int slot, Buffer *buffer);
Buffer *emit_saved(const Emitter *emitter, const Module *module, int slot);

const_dnnl_memory_desc_t buffer_layout(const Buffer *buffer);
/* CHECKs that the layout is one of view.h's. */
View                     buffer_view(const Buffer *buffer);
/* What emit_read_channels gave: batch last as N/16 C H (16 W). */
View                     buffer_channels(const Buffer *buffer);

/* ---- fusion (fusion.c) ---- */

/* What runs inside the kernels of the module at the chain's head, instead of on its own. */
typedef struct Fusion {
    const Module *add;            /* a residual sum, or NULL */
    const Tensor *residual;       /* the sum's other operand */
    const Module *activation;     /* or NULL */
    Activation    act;            /* ACT_identity if there is none */
    const Tensor *out;            /* the chain's last output */
} Fusion;

/* The chain that `module` heads; a module alone gets an empty one whose out is its own. */
Fusion emit_fusion(const Emitter *emitter, const Module *module);

/* ---- kernels ---- */

/* Takes a primitive descriptor (destroys it); scratchpad memory is bound by itself. `what`: "forward", "backward data", ... */
Kernel *emit_primitive(Emitter *emitter, const Module *module, const char *what, dnnl_primitive_desc_t pd);

/* A loop of our own. Its call is a struct of sizes and pointers, whose bytes are copied. The pointers are bound by their place in
 * it, and filled in when the program is complete. `call` must stay where it is until the last is bound.
 *
 *     Call call = { .view = buffer_view(x) };
 *     Kernel *kernel = emit_call(emitter, module, "forward", run_forward, &call, sizeof call);
 *     kernel_reads(kernel, &call.x, x);
 *     kernel_writes(kernel, &call.y, y); */
typedef void CallFunction(const void *call);
Kernel *emit_call(Emitter *emitter, const Module *module, const char *what, CallFunction *function, const void *call,
                  size_t call_size);
/* A NULL buffer binds nothing: the pointer is NULL. */
void kernel_reads(Kernel *kernel, const float **pointer, Buffer *buffer);
void kernel_writes(Kernel *kernel, float **pointer, Buffer *buffer);
/* Reads and writes. */
void kernel_updates(Kernel *kernel, float **pointer, Buffer *buffer);
/* So many bytes for the kernel alone. */
void kernel_scratch(Kernel *kernel, void **pointer, size_t bytes);

enum { KERNEL_MAX_SLOTS = 16 };

/* Of a primitive; slot: DNNL_ARG_*. A NULL buffer binds nothing. */
void kernel_bind(Kernel *kernel, int slot, Buffer *buffer);
/* The same bytes under another descriptor of the same size. */
void kernel_bind_as(Kernel *kernel, int slot, Buffer *buffer, const_dnnl_memory_desc_t layout);
/* `written` may take the place of `read` if nobody needs `read` after this kernel. */
void kernel_in_place(Kernel *kernel, Buffer *read, Buffer *written);
/* For profiles: floating-point operations of one run. Bytes are counted from what is bound. */
void kernel_flops(Kernel *kernel, double flops);
/* What profiles call a kernel of our own: "convzoo:<implementation>", without it "convzoo". */
void kernel_name(Kernel *kernel, const char *implementation);

/* The key that random numbers of the current step derive from; stable address. */
typedef struct StepKey { uint64_t seed, step; } StepKey;
const StepKey *program_step_key(const Program *program);

/* The attribute every primitive is made with: user scratchpad, strict f32. Owned by the engine. */
const_dnnl_primitive_attr_t onednn_attr(void);

#endif
