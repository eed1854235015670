/* program.c - compiling a network and running it; see program.h. */

#include "emitter.h"

#include "errors.h"
#include "kernels.h"
#include "threads.h"

#include <omp.h>
#include <stdlib.h>

const char *program_kernels(char *text, size_t size)
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, size, "%s and %#x, oneDNN %d.%d.%d", kernels_isa(), (unsigned)dnnl_get_effective_cpu_isa(), version->major,
             version->minor, version->patch);
    return text;
}

/* ---- compiling ---- */

static void take_purpose(Program *program, const Purpose *purpose)
{
    program->purpose = *purpose;
    program->purpose.watched = NULL;
    program->watch_count = purpose->watched_count;
    program->watches = allocate((size_t)purpose->watched_count + 1, sizeof *program->watches, "a program");
    for (int i = 0; i < purpose->watched_count; i++) {
        const Tensor *tensor = purpose->watched[i];
        CHECK(tensor->index < program->network->tensors.count && program->network->tensors.items[tensor->index] == tensor,
              "watched tensor %d is not of this network (%d tensors)", i, program->network->tensors.count);
        program->watches[i].tensor = tensor;
    }
    CHECK(purpose->gradients != GRADIENTS_tensors || purpose->watched_count > 0, "gradients of %d watched tensors: name some",
          purpose->watched_count);
}

static Program *new_program(Network *network, const Plan *plan, Purpose purpose, int batch)
{
    CHECK(batch > 0, "a program for %d samples", batch);
    CHECK(!plan->measured, "a plan that is yet to be measured, for %d samples: see measure.h", batch);
    CHECK(network->image, "a network without an image (%d modules)", network->modules.count);
    Program *program = allocate(1, sizeof *program, "a program");
    program->network = network;
    program->plan = *plan;
    program->batch = batch;
    program->threads = threads_settle(0);
    take_purpose(program, &purpose);
    return program;
}

static bool wants_channels_last(const Network *network)
{
    for (int i = 0; i < network_module_count(network); i++)
        if (network_module(network, i)->ops->wants_channels_last)
            return true;
    return false;
}

/* True if no image inside the network has more channels than a group has images: blocks of channels would be half empty. */
static bool is_narrow(const Network *network)
{
    for (int i = 0; i < network_module_count(network); i++) {
        const Shape s = network_module(network, i)->out->shape;
        if (s.c > BATCH_LANES && s.h * s.w > 1)
            return false;
    }
    return true;
}

/* Normalisation over channels, and the pointwise layers around it, want them to lie together; others oneDNN's blocks. */
static LayoutPolicy layout_without_measuring(const Network *network)
{
    if (is_narrow(network))
        return LAYOUT_batch_last;
    return wants_channels_last(network) ? LAYOUT_channels_last : LAYOUT_blocked;
}

static void point_buffer(Program *program, Buffer *buffer)
{
    Parameters *parameters = &network_owner(program->network)->parameters;
    const ParamPlace *place = buffer->param ? &network_owner(program->network)->places[buffer->param->index] : NULL;
    switch (buffer->place) {
    case BUFFER_arena:     break;      /* program_point_arena */
    case BUFFER_copy:      buffer->pointer = program->copies + buffer->offset; break;
    case BUFFER_values:    buffer->pointer = (char *)(parameters->values + place->offset); break;
    case BUFFER_gradients: buffer->pointer = (char *)(parameters->gradients + place->offset); break;
    case BUFFER_image:     break;
    case BUFFER_caller:    break;
    }
}

static void complete(Program *program)
{
    parameters_settle(program->network);
    if (program->purpose.gradients == GRADIENTS_parameters)
        parameters_need_gradients(program->network);
    program_place_buffers(program);
    program->copies = allocate(program->copies_size, 1, "parameter copies");
    for (int i = 0; i < program->buffers.count; i++)
        point_buffer(program, program->buffers.items[i]);
    if (!program->purpose.shares_arena)
        program_point_arena(program, allocate(program->arena_size, 1, "activations"));
    program->version = network_owner(program->network)->parameters.version - 1;
}

Program *program_compile(Network *network, const Plan *plan, Purpose purpose, int batch)
{
    Error error;
    if (!network_fits(network, batch, &error))      /* before oneDNN, which divides by zero where its sizes overflow */
        memory_refused(&error);
    parameters_place(network);
    Program *program = new_program(network, plan, purpose, batch);
    if (program->plan.layout == LAYOUT_automatic)
        program->plan.layout = layout_without_measuring(network);
    if (program->plan.layout == LAYOUT_batch_last && batch % BATCH_LANES)
        program->plan.layout = LAYOUT_blocked;
    emit_all(program);
    complete(program);
    return program;
}

static void free_layout(void *layout)
{
    DNNL(dnnl_memory_desc_destroy(layout));
}

void program_free(Program *program)
{
    if (!program)
        return;
    for (Turn turn = 0; turn < TURN_COUNT; turn++)
        list_clear(&program->kernels[turn], kernel_free);
    list_clear(&program->buffers, free);
    list_clear(&program->layouts, free_layout);
    free(program->watches);
    if (!program->purpose.shares_arena)
        free(program->arena);
    free(program->copies);
    free(program->own_image);
    free(program);
}

/* ---- running ---- */

float *program_image(Program *program)
{
    if (!program->own_image)
        program->own_image =
            allocate((size_t)program->batch * shape_size(network_image(program->network)->shape), sizeof(float), "images");
    if (program->image->pointer != (char *)program->own_image)
        buffer_move(program, program->image, program->own_image);
    return program->own_image;
}

void program_set_image(Program *program, const float *image)
{
    if (program->image->pointer != (const char *)image)
        buffer_move(program, program->image, (float *)(uintptr_t)image);      /* kernels only read it; their list of pointers is not const */
}

const float *program_logits(const Program *program)
{
    return (const float *)buffer_root(program->logits)->pointer;
}

float *program_logits_gradient(Program *program)
{
    CHECK(program->logits_gradient, "the logits' gradient in a program without gradients (batch %d)", program->batch);
    return (float *)buffer_root(program->logits_gradient)->pointer;
}

Network *program_network(const Program *program)
{
    return program->network;
}

int program_batch(const Program *program)
{
    return program->batch;
}

void program_set_step(Program *program, uint64_t seed, uint64_t step)
{
    program->key = (StepKey){ seed, step };
}

void program_run(Program *program, Turn turn, int from, int to)
{
    CHECK(omp_get_max_threads() == program->threads, "a program compiled for %d threads runs with %d", program->threads,
          omp_get_max_threads());
    CHECK(program->arena, "a program without an arena (batch %d): see program_set_arena", program->batch);
    CHECK(program->threads == 1 || !omp_in_parallel(), "a program compiled for %d threads runs inside a parallel region, with 1",
          program->threads);
    for (int i = from; i < to; i++)
        kernel_run(program->kernels[turn].items[i]);
    DNNL(dnnl_stream_wait(onednn_stream()));
}

static void refresh(Program *program)
{
    if (program->version == network_owner(program->network)->parameters.version)
        return;
    program_run(program, TURN_refresh, 0, program->kernels[TURN_refresh].count);
    program->version = network_owner(program->network)->parameters.version;
}

bool program_values_are_zero(const float *values, size_t count)
{
    size_t zeros = 0;
    while (zeros < count && values[zeros] == 0.0f)
        zeros++;
    return zeros == count;
}

/* A network whose weights are all 0 learns nothing, in silence. The first is rarely 0: this takes no time. */
static void expect_values(const Network *network)
{
    const Parameters *p = &network_owner(network)->parameters;
    CHECK(p->decayed == 0 || !program_values_are_zero(p->values, p->decayed),
          "a network without values (%zu weights, all 0): call parameters_init or checkpoint_load first", p->decayed);
}

void program_count_batch(Program *program)
{
    Network *network = program->network;
    for (int i = 0; i < network_param_count(network); i++) {
        const Param *param = network_param(network, i);
        if (param->role == PARAM_counter && program_takes_statistics(program, param->module))
            ++*parameters_counter(network, param);
    }
    network_owner(network)->parameters.version++;
}

void program_forward(Program *program)
{
    CHECK(program->image->pointer, "program_forward without images (batch %d)", program->batch);
    expect_values(program->network);
    refresh(program);
    program_run(program, TURN_step, 0, program->loss_at);
    if (program->purpose.statistics == STATISTICS_batch && !program->own_blocks)
        program_count_batch(program);
}

void program_backward(Program *program)
{
    CHECK(program_has_backward(program), "program_backward of a program without gradients (batch %d)", program->batch);
    const int count = program->kernels[TURN_step].count;
    if (!program->watch) {
        program_run(program, TURN_step, program->loss_at, count);
        return;
    }
    for (int i = program->loss_at; i < count; i++) {
        program_run(program, TURN_step, i, i + 1);
        program->watch(program->watch_context, i + 1 - program->loss_at);
    }
}
