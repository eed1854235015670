/* watch.c - tensors that are read from outside after a run.
 *
 * A watched tensor's bytes are nobody else's from the kernel that writes them to the end of the run. A reorder to plain f32 is
 * made with the program and runs only when somebody asks: in a step, watching costs no time. */

#include "program_build.h"

#include "errors.h"

bool program_watches(const Program *program, const Tensor *tensor)
{
    for (int i = 0; i < program->watch_count; i++)
        if (program->watches[i].tensor == tensor)
            return true;
    return false;
}

static void copy_out(Program *program, Kernel *kernel, float *numbers)
{
    Buffer *to = kernel->bindings[kernel->count - 1].buffer;
    to->pointer = (char *)numbers;
    kernel_point(kernel, to);
    program_run(program, TURN_watch, kernel->index, kernel->index + 1);
}

static const Watch *watch_at(const Program *program, int i)
{
    CHECK(i >= 0 && i < program->watch_count, "watched tensor %d of %d", i, program->watch_count);
    return &program->watches[i];
}

void program_watched_values(Program *program, int i, float *values)
{
    copy_out(program, watch_at(program, i)->values, values);
}

void program_watched_gradient(Program *program, int i, float *gradient)
{
    const Watch *watch = watch_at(program, i);
    CHECK(watch->gradient, "the gradient of watched tensor %d, in a program without gradients", i);
    copy_out(program, watch->gradient, gradient);
}
