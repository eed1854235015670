/* emit_gradient.c - gradients of tensors: a share from each reader, and their sum; see emit.h. */

#include "emitter.h"

#include "errors.h"
#include "kernels.h"

bool emit_wants_gradient(const Emitter *emitter, const Tensor *tensor)
{
    return emit_state(emitter, tensor)->wanted;
}

void emit_want_gradients(Emitter *emitter)
{
    for (int i = 0; i < emitter->program->watch_count; i++)
        emit_state(emitter, emitter->program->watches[i].tensor)->wanted = true;
    for (int i = 0; i < network_module_count(emitter->program->network); i++) {
        const Module *module = network_module(emitter->program->network, i);
        bool wanted = program_trains(emitter->program, module) || emit_wants_gradient(emitter, module->out);
        for (int k = 0; k < module->inputs; k++)
            wanted = wanted || emit_wants_gradient(emitter, module->in[k]);
        emit_state(emitter, module->out)->wanted = wanted;
    }
}

void emit_share_gradient(Emitter *emitter, const Tensor *tensor, Buffer *buffer, const_dnnl_memory_desc_t layout)
{
    TensorState *state = emit_state(emitter, tensor);
    CHECK(!state->gradient, "a share of tensor %d's gradient comes after it was summed", tensor->index);
    list_add(&state->shares, emit_as(emitter, buffer, layout));
}

Buffer *emit_write_gradient(Emitter *emitter, const Tensor *tensor, const_dnnl_memory_desc_t layout)
{
    Buffer *buffer = program_buffer(emitter->program, BUFFER_arena, layout, 0);
    emit_share_gradient(emitter, tensor, buffer, layout);
    return buffer;
}

typedef struct SumCall {
    size_t       count;
    const float *sum, *share;
    float       *next;
} SumCall;

static void run_sum(const void *call)
{
    const SumCall *c = call;
    kernel_add(c->count, c->sum, c->share, c->next);
}

/* oneDNN overwrites gradients, so several readers' shares are summed here, in the order in which they came. */
static Buffer *sum_shares(Emitter *emitter, const Tensor *tensor, TensorState *state)
{
    CHECK(state->shares.count > 0, "nobody gave tensor %d a gradient", tensor->index);
    Buffer *sum = state->shares.items[0];
    CHECK(state->shares.count == 1 || !layout_is_bf16(sum->layout), "%d shares of a bf16 gradient", state->shares.count);
    for (int i = 1; i < state->shares.count; i++) {
        List copies = { 0 };
        Buffer *share = emit_in_layout(emitter, tensor->producer, state->shares.items[i], &copies, sum->layout);
        list_clear(&copies, NULL);
        Buffer *next = program_buffer(emitter->program, BUFFER_arena, sum->layout, 0);
        SumCall call = { .count = sum->size / sizeof(float) };
        Kernel *kernel = emit_call(emitter, tensor->producer, "sum of gradients", run_sum, &call, sizeof call);
        kernel_reads(kernel, &call.sum, sum);
        kernel_reads(kernel, &call.share, share);
        kernel_writes(kernel, &call.next, next);
        kernel_in_place(kernel, sum, next);
        sum = next;
    }
    return sum;
}

Buffer *emit_read_gradient(Emitter *emitter, const Tensor *tensor, const_dnnl_memory_desc_t layout)
{
    TensorState *state = emit_state(emitter, tensor);
    if (!state->gradient)
        state->gradient = sum_shares(emitter, tensor, state);
    return emit_in_layout(emitter, tensor->producer, state->gradient, &state->gradient_copies, layout);
}
