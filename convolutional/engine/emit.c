/* emit.c - buffers: reads, writes, gradients and parameters of a program under compilation; see emit.h. */

#include "program_build.h"

#include "errors.h"
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

const Purpose PURPOSE_training = { STATISTICS_batch, true, GRADIENTS_parameters, NULL, 0 };
const Purpose PURPOSE_inference = { STATISTICS_running, false, GRADIENTS_none, NULL, 0 };

const Plan    *program_plan(const Program *program)     { return &program->plan; }
const StepKey *program_step_key(const Program *program) { return &program->key; }

bool program_takes_statistics(const Program *program, const Module *module)
{
    return program->purpose.statistics == STATISTICS_batch && !network_freezes(program->network, module);
}

bool program_drops(const Program *program)
{
    return program->purpose.dropout;
}

bool program_has_backward(const Program *program)
{
    return program->purpose.gradients != GRADIENTS_none;
}

dnnl_prop_kind_t program_forward_kind(const Program *program)
{
    return program_has_backward(program) ? dnnl_forward_training : dnnl_forward_inference;
}

char program_planned_algorithm(const Program *program, const Module *module)
{
    int layer = 0;
    for (int i = 0; i < module->index; i++)
        layer += network_module(program->network, i)->ops->algorithm != NULL;
    return layer < (int)strlen(program->plan.layers) ? program->plan.layers[layer] : '.';
}

/* ---- layouts ---- */

static const_dnnl_memory_desc_t own_layout(Program *program, dnnl_memory_desc_t layout)
{
    return list_add(&program->layouts, layout);
}

const_dnnl_memory_desc_t program_keep_layout(Program *program, const_dnnl_memory_desc_t layout)
{
    dnnl_memory_desc_t clone;
    DNNL(dnnl_memory_desc_clone(&clone, layout));
    return own_layout(program, clone);
}

const_dnnl_memory_desc_t program_layout(Program *program, int rank, const int64_t *dims, dnnl_format_tag_t tag)
{
    return own_layout(program, layout_new(rank, dims, tag));
}

const_dnnl_memory_desc_t program_tensor_layout(Program *program, const Tensor *tensor, dnnl_format_tag_t tag)
{
    const int64_t dims[] = { program->batch, tensor->shape.c, tensor->shape.h, tensor->shape.w };
    return program_layout(program, 4, dims, tag);
}

const_dnnl_memory_desc_t program_preferred_layout(Program *program, const Tensor *tensor)
{
    if (!tensor->producer)
        return program_tensor_layout(program, tensor, dnnl_format_tag_any);
    if (program->plan.layout == LAYOUT_channels_last)
        return program_tensor_layout(program, tensor, dnnl_nhwc);
    /* Left alone, oneDNN wants blocks for training and channels last for inference: our kernels would need reorders. */
    const bool blocks = tensor->shape.c % 16 == 0 && kernels_have_16_lanes();
    return program_tensor_layout(program, tensor, blocks ? dnnl_nChw16c : dnnl_format_tag_any);
}

const_dnnl_memory_desc_t program_batch_last_layout(Program *program, const Tensor *tensor)
{
    return program_tensor_layout(program, tensor, dnnl_Abcd16a);
}

const_dnnl_memory_desc_t program_layout_in(Program *program, const_dnnl_memory_desc_t layout, bool bf16)
{
    return bf16 ? own_layout(program, layout_new_of_type(layout, dnnl_bf16)) : layout;
}

const_dnnl_memory_desc_t program_plain_layout(Program *program, const Tensor *tensor)
{
    return program_tensor_layout(program, tensor, dnnl_nchw);
}

const_dnnl_memory_desc_t program_pixel_layout(Program *program, const Tensor *tensor, const View *view)
{
    if (view->padded == view->c)
        return program_plain_layout(program, tensor);
    return program_tensor_layout(program, tensor, view->block == 16 ? dnnl_nChw16c : dnnl_nChw8c);
}

const_dnnl_memory_desc_t buffer_layout(const Buffer *buffer)
{
    return buffer->layout;
}

View buffer_view(const Buffer *buffer)
{
    View view;
    char text[128];
    CHECK(layout_view(buffer->layout, &view), "a layout that no kernel of ours reads: %s",
          layout_text(buffer->layout, text, sizeof text));
    return view;
}

View buffer_channels(const Buffer *buffer)
{
    View view;
    return layout_batch_last(buffer->layout, &view) ? view : buffer_view(buffer);
}

const_dnnl_memory_desc_t program_asked_layout(Program *program, const_dnnl_primitive_desc_t pd, dnnl_query_t what)
{
    return program_keep_layout(program, dnnl_primitive_desc_query_md(pd, what, 0));
}

/* ---- buffers ---- */

Buffer *buffer_root(Buffer *buffer)
{
    while (buffer->root != buffer)
        buffer = buffer->root;
    return buffer;
}

void buffer_use(Buffer *buffer, const Kernel *kernel)
{
    Buffer *root = buffer_root(buffer);
    if (kernel->turn != TURN_step) {      /* it runs between steps: nobody else may have these bytes, from where they are written */
        if (kernel->turn == TURN_refresh || root->first > root->last)
            root->first = 0;
        root->last = INT32_MAX;
        return;
    }
    if (kernel->index < root->first)
        root->first = kernel->index;
    if (kernel->index > root->last)
        root->last = kernel->index;
}

Buffer *program_buffer(Program *program, BufferPlace place, const_dnnl_memory_desc_t layout, size_t size)
{
    Buffer *buffer = list_add(&program->buffers, allocate(1, sizeof *buffer, "a buffer"));
    *buffer = (Buffer){ .root = buffer, .place = place, .layout = layout, .size = size, .first = INT32_MAX, .last = -1 };
    if (layout)
        buffer->size = dnnl_memory_desc_get_size(layout);
    return buffer;
}

Buffer *program_scratch(Program *program, size_t bytes)
{
    return program_buffer(program, BUFFER_arena, NULL, bytes);
}

/* `buffer`, described as `layout`: itself if it is so already. */
static Buffer *buffer_as(Program *program, Buffer *buffer, const_dnnl_memory_desc_t layout)
{
    if (buffer->layout && dnnl_memory_desc_equal(buffer->layout, layout))
        return buffer;
    Buffer *alias = program_buffer(program, buffer->place, layout, 0);
    alias->root = buffer;
    alias->param = buffer->param;
    return alias;
}

Kernel *program_emit_reorder(Program *program, const Module *module, Turn turn, Buffer *from, Buffer *to)
{
    dnnl_primitive_desc_t pd;
    DNNL(dnnl_reorder_primitive_desc_create(&pd, from->layout, onednn_engine(), to->layout, onednn_engine(), onednn_attr()));
    Kernel *kernel = program_emit_primitive(program, module, "reorder", pd, turn);
    kernel_bind(kernel, DNNL_ARG_FROM, from);
    kernel_bind(kernel, DNNL_ARG_TO, to);
    return kernel;
}

static void emit_reorder(Program *program, const Module *module, Buffer *from, Buffer *to)
{
    program_emit_reorder(program, module, to->place == BUFFER_copy ? TURN_refresh : TURN_step, from, to);
}

/* `values` or one of its copies in `layout`; a new copy, and the reorder that makes it, if there is none. */
static Buffer *find_or_reorder(Program *program, const Module *module, Buffer *values, List *copies,
                               const_dnnl_memory_desc_t layout)
{
    if (!layout)
        return values;
    if (layout_same_bytes(values->layout, layout))
        return buffer_as(program, values, layout);
    for (int i = 0; i < copies->count; i++) {
        Buffer *copy = copies->items[i];
        if (layout_same_bytes(copy->layout, layout))
            return buffer_as(program, copy, layout);
    }
    Buffer *copy = list_add(copies, program_buffer(program, BUFFER_arena, layout, 0));
    emit_reorder(program, module, values, copy);
    return copy;
}

/* ---- tensors ---- */

static TensorState *state_of(const Program *program, const Tensor *tensor)
{
    return &program->tensors[tensor->index];
}

static void recompute(Program *program, const Module *module)
{
    const int reader = program->emitting;
    const bool nested = program->recomputing;
    program->emitting = module->index;
    program->recomputing = true;
    module->ops->recompute(module, program);
    program->emitting = reader;
    program->recomputing = nested;
}

Buffer *program_read(Program *program, const Tensor *tensor, const_dnnl_memory_desc_t layout)
{
    TensorState *state = state_of(program, tensor);
    if (!state->values && state->recompute)
        recompute(program, state->recompute);
    CHECK(state->values, "tensor %d is read before it is written", tensor->index);
    return find_or_reorder(program, tensor->producer, state->values, &state->copies, layout);
}

Buffer *program_read_view(Program *program, const Tensor *tensor)
{
    program_read(program, tensor, NULL);      /* what is made again gets its layout with that */
    return program_read(program, tensor, program_view_layout(program, tensor));
}

Buffer *program_read_channels(Program *program, const Tensor *tensor)
{
    View view;
    Buffer *values = program_read(program, tensor, NULL);
    return layout_batch_last(values->layout, &view) ? values : program_read_view(program, tensor);
}

Buffer *program_write(Program *program, const Tensor *tensor, const_dnnl_memory_desc_t layout)
{
    TensorState *state = state_of(program, tensor);
    CHECK(!state->values, "tensor %d is written twice", tensor->index);
    state->layout = layout;
    return state->values = program_buffer(program, BUFFER_arena, layout, 0);
}

void program_recompute(Program *program, const Tensor *tensor, const Module *module)
{
    if (!program_watches(program, tensor))
        state_of(program, tensor)->recompute = module;
}

bool program_recomputes(const Program *program, const Tensor *tensor)
{
    return state_of(program, tensor)->recompute != NULL;
}

void program_begin_backward(Program *program)
{
    for (int i = 0; i < program->network->tensors.count; i++)
        if (program->tensors[i].recompute) {
            program->tensors[i].values = NULL;
            program->tensors[i].copies.count = 0;
        }
}

Buffer *program_read_numbers(Program *program, const Tensor *tensor)
{
    Buffer *values = program_read(program, tensor, NULL);
    return layout_is_bf16(values->layout) ? values : program_read_channels(program, tensor);
}

const_dnnl_memory_desc_t program_values_layout(const Program *program, const Tensor *tensor)
{
    return state_of(program, tensor)->layout;
}

const_dnnl_memory_desc_t program_view_layout(Program *program, const Tensor *tensor)
{
    View view;
    const_dnnl_memory_desc_t layout = program_values_layout(program, tensor);
    if (!layout_view(layout, &view))
        return program_plain_layout(program, tensor);
    return layout_is_bf16(layout) ? own_layout(program, layout_new_of_type(layout, dnnl_f32)) : layout;
}

void program_alias(Program *program, const Tensor *tensor, Buffer *buffer, const_dnnl_memory_desc_t layout)
{
    TensorState *state = state_of(program, tensor);
    CHECK(!state->values, "tensor %d is written twice", tensor->index);
    state->values = buffer_as(program, buffer, layout);
    state->layout = layout;
}

bool program_wants_gradient(const Program *program, const Tensor *tensor)
{
    return state_of(program, tensor)->wanted;
}

static bool trains_param(const Program *program, const Param *param)
{
    return program->purpose.gradients == GRADIENTS_parameters && param_is_trained(param) && !param->frozen;
}

bool program_trains(const Program *program, const Module *module)
{
    const Network *network = program->network;
    for (int i = 0; i < network_param_count(network); i++) {
        const Param *param = network_param(network, i);
        if (param->module == module && trains_param(program, param))
            return true;
    }
    return false;
}

void program_want_gradients(Program *program)
{
    for (int i = 0; i < program->watch_count; i++)
        state_of(program, program->watches[i].tensor)->wanted = true;
    for (int i = 0; i < network_module_count(program->network); i++) {
        const Module *module = network_module(program->network, i);
        bool wanted = program_trains(program, module) || program_wants_gradient(program, module->out);
        for (int k = 0; k < module->inputs; k++)
            wanted = wanted || program_wants_gradient(program, module->in[k]);
        state_of(program, module->out)->wanted = wanted;
    }
}

void program_share_gradient(Program *program, const Tensor *tensor, Buffer *buffer, const_dnnl_memory_desc_t layout)
{
    TensorState *state = state_of(program, tensor);
    CHECK(!state->gradient, "a share of tensor %d's gradient comes after it was summed", tensor->index);
    list_add(&state->shares, buffer_as(program, buffer, layout));
}

Buffer *program_write_gradient(Program *program, const Tensor *tensor, const_dnnl_memory_desc_t layout)
{
    Buffer *buffer = program_buffer(program, BUFFER_arena, layout, 0);
    program_share_gradient(program, tensor, buffer, layout);
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
static Buffer *sum_shares(Program *program, const Tensor *tensor, TensorState *state)
{
    CHECK(state->shares.count > 0, "nobody gave tensor %d a gradient", tensor->index);
    Buffer *sum = state->shares.items[0];
    CHECK(state->shares.count == 1 || !layout_is_bf16(sum->layout), "%d shares of a bf16 gradient", state->shares.count);
    for (int i = 1; i < state->shares.count; i++) {
        List copies = { 0 };
        Buffer *share = find_or_reorder(program, tensor->producer, state->shares.items[i], &copies, sum->layout);
        list_clear(&copies, NULL);
        Buffer *next = program_buffer(program, BUFFER_arena, sum->layout, 0);
        SumCall call = { .count = sum->size / sizeof(float) };
        Kernel *kernel = program_emit_call(program, tensor->producer, "sum of gradients", run_sum, &call, sizeof call);
        kernel_reads(kernel, &call.sum, sum);
        kernel_reads(kernel, &call.share, share);
        kernel_writes(kernel, &call.next, next);
        kernel_in_place(kernel, sum, next);
        sum = next;
    }
    return sum;
}

Buffer *program_read_gradient(Program *program, const Tensor *tensor, const_dnnl_memory_desc_t layout)
{
    TensorState *state = state_of(program, tensor);
    if (!state->gradient)
        state->gradient = sum_shares(program, tensor, state);
    return find_or_reorder(program, tensor->producer, state->gradient, &state->gradient_copies, layout);
}

/* ---- from forward to backward ---- */

void program_save(Program *program, const Module *module, int slot, Buffer *buffer)
{
    CHECK(slot < MODULE_MAX_SAVED, "'%s': slot %d, at most %d", module->name, slot, MODULE_MAX_SAVED - 1);
    program->saved[module->index][slot] = buffer;
}

Buffer *program_saved(const Program *program, const Module *module, int slot)
{
    CHECK(program->saved[module->index][slot], "'%s': forward left nothing in slot %d", module->name, slot);
    return program->saved[module->index][slot];
}

/* ---- parameters ---- */

static const_dnnl_memory_desc_t vector_layout(Program *program, const Param *param)
{
    const int64_t dims[] = { (int64_t)param->count };
    return program_layout(program, 1, dims, dnnl_a);
}

/* Where the parameter lives; what `wanted` describes if it may still choose. */
static const_dnnl_memory_desc_t home_layout(Program *program, const Param *param, const_dnnl_memory_desc_t wanted)
{
    /* What is read in bf16 lives plain, in f32: readers get copies, and its gradient is reordered back. */
    const_dnnl_memory_desc_t plain = own_layout(program, layout_new_plain(wanted));
    const_dnnl_memory_desc_t home = parameters_choose_layout(program->network, param, layout_is_bf16(wanted) ? plain : wanted);
    return home ? home : plain;
}

static Buffer *param_copy(Program *program, const Param *param, Buffer *home, const_dnnl_memory_desc_t layout)
{
    for (int i = 0; i < program->param_copies.count; i++) {
        const ParamCopy *copy = program->param_copies.items[i];
        if (copy->param == param && layout_same_bytes(copy->buffer->layout, layout))
            return copy->buffer;
    }
    ParamCopy *copy = list_add(&program->param_copies, allocate(1, sizeof *copy, "a parameter copy"));
    const bool changes = program->purpose.gradients == GRADIENTS_parameters;      /* from step to step */
    *copy = (ParamCopy){ param, program_buffer(program, changes ? BUFFER_arena : BUFFER_copy, layout, 0) };
    emit_reorder(program, NULL, home, copy->buffer);
    return copy->buffer;
}

Buffer *program_param(Program *program, const Param *param, const_dnnl_memory_desc_t layout)
{
    if (!layout)
        layout = vector_layout(program, param);
    const_dnnl_memory_desc_t home = home_layout(program, param, layout);
    Buffer *buffer = program_buffer(program, BUFFER_values, home, 0);
    buffer->param = param;
    return layout_same_bytes(home, layout) ? buffer_as(program, buffer, layout) : param_copy(program, param, buffer, layout);
}

Buffer *program_param_gradient(Program *program, const Param *param, const_dnnl_memory_desc_t layout)
{
    if (!layout)
        layout = vector_layout(program, param);
    const_dnnl_memory_desc_t home = home_layout(program, param, layout);
    if (!trains_param(program, param))
        return program_buffer(program, BUFFER_arena, layout, 0);
    Buffer *buffer = program_buffer(program, BUFFER_gradients, home, 0);
    buffer->param = param;
    if (layout_same_bytes(home, layout))
        return buffer_as(program, buffer, layout);
    Buffer *written = program_buffer(program, BUFFER_arena, layout, 0);
    list_add(&program->pending, written);
    list_add(&program->pending, buffer);
    return written;
}

void program_flush_pending(Program *program)
{
    for (int i = 0; i + 1 < program->pending.count; i += 2)
        emit_reorder(program, NULL, program->pending.items[i], program->pending.items[i + 1]);
    program->pending.count = 0;
}
