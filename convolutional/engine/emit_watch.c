/* emit_watch.c - the reorders that copy watched tensors out; see watch.c. */

#include "emitter.h"

static Kernel *emit_watch(Emitter *emitter, const Tensor *tensor, Buffer *from)
{
    Buffer *to = program_buffer(emitter->program, BUFFER_caller, emit_plain_layout(emitter, tensor), 0);
    return emit_reorder_at(emitter, tensor->producer, TURN_watch, from, to);
}

void emit_watched_values(Emitter *emitter)
{
    for (int i = 0; i < emitter->program->watch_count; i++) {
        Watch *watch = &emitter->program->watches[i];
        watch->values = emit_watch(emitter, watch->tensor, emit_read(emitter, watch->tensor, NULL));
    }
}

void emit_watched_gradients(Emitter *emitter)
{
    for (int i = 0; i < emitter->program->watch_count; i++) {
        Watch *watch = &emitter->program->watches[i];
        watch->gradient = emit_watch(emitter, watch->tensor, emit_read_gradient(emitter, watch->tensor, NULL));
    }
}
