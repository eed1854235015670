/* gradients.c - where a program's gradients and statistics go, and when each of them is complete; see program.h. */

#include "program_build.h"

#include "errors.h"

void program_watch_backward(Program *program, BackwardWatch *watch, void *context)
{
    program->watch = watch;
    program->watch_context = context;
}

int program_gradient_done(const Program *program, const Param *param)
{
    int done = 0;
    for (int i = 0; i < program->buffers.count; i++) {
        const Buffer *buffer = program->buffers.items[i];
        if (buffer->place != BUFFER_gradients || buffer->root != buffer || buffer->param->index != param->index)
            continue;
        const int kernels = buffer->last + 1 - program->loss_at;
        done = kernels > done ? kernels : done;
    }
    return done;
}

void program_set_blocks(Program *program, float *gradients, float *statistics)
{
    const Network *owner = network_owner(program->network);
    CHECK(program->purpose.gradients == GRADIENTS_parameters && program->purpose.statistics == STATISTICS_batch,
          "blocks for a program that is not for training (gradients %d, statistics %d)", program->purpose.gradients, program->purpose.statistics);
    program->own_blocks = true;
    for (int i = 0; i < program->buffers.count; i++) {
        Buffer *buffer = program->buffers.items[i];
        if (buffer->root != buffer || !buffer->param)
            continue;
        const size_t offset = owner->places[buffer->param->index].offset;
        if (buffer->place == BUFFER_gradients)
            buffer_move(program, buffer, gradients + offset);
        else if (buffer->place == BUFFER_values && buffer->param->role == PARAM_buffer)
            buffer_move(program, buffer, statistics + (offset - owner->parameters.trained));
    }
}
