/* listing.c - a compiled program as text: its kernels in the order in which they run, and where their buffers lie. */

#include "program_build.h"

#include "errors.h"

#include <stdlib.h>

enum { NAME_WIDTH = 64 };

/* Numbers the buffers that lie in the arena, in order of their first kernel; 0: not one of those. */
typedef struct Numbers {
    const Program *program;
    const Buffer **buffers;      /* number - 1 */
    int            count;
} Numbers;

static int number_of(const Numbers *numbers, const Buffer *buffer)
{
    for (int i = 0; i < numbers->count; i++)
        if (numbers->buffers[i] == buffer)
            return i + 1;
    return 0;
}

static Numbers numbers_new(const Program *program)
{
    Numbers numbers = { .program = program };
    numbers.buffers = allocate((size_t)program->buffers.count + 1, sizeof *numbers.buffers, "a list");
    for (int i = 0; i < program->kernels[TURN_step].count; i++) {
        const Kernel *kernel = program->kernels[TURN_step].items[i];
        for (int k = 0; k < kernel->count; k++) {
            const Buffer *buffer = buffer_root(kernel->bindings[k].buffer);
            if ((buffer->place == BUFFER_arena || buffer->place == BUFFER_copy) && !number_of(&numbers, buffer))
                numbers.buffers[numbers.count++] = buffer;
        }
    }
    return numbers;
}

static void name_buffer(const Numbers *numbers, const Buffer *buffer, char *name, size_t size)
{
    switch (buffer->place) {
    case BUFFER_arena:
    case BUFFER_copy:      snprintf(name, size, "#%d", number_of(numbers, buffer)); break;
    case BUFFER_image:     snprintf(name, size, "image"); break;
    case BUFFER_caller:    snprintf(name, size, "caller's"); break;
    case BUFFER_values:    snprintf(name, size, "%s", buffer->param->name); break;
    case BUFFER_gradients: snprintf(name, size, "d %s", buffer->param->name); break;
    }
}

static void print_accesses(const Numbers *numbers, const Kernel *kernel, const char *title, Access one, Access other, FILE *stream)
{
    bool first = true;
    for (int i = 0; i < kernel->count; i++) {
        const Binding *binding = &kernel->bindings[i];
        if (binding->access != one && binding->access != other)
            continue;
        char name[NAME_WIDTH];
        name_buffer(numbers, buffer_root(binding->buffer), name, sizeof name);
        fprintf(stream, "%s%s", first ? title : ", ", name);
        first = false;
    }
}

static void print_kernels(const Numbers *numbers, FILE *stream)
{
    const List *kernels = &numbers->program->kernels[TURN_step];
    fprintf(stream, "%6s  %-28s %-18s %s\n", "kernel", "module", "what", "reads -> writes (scratch)");
    for (int i = 0; i < kernels->count; i++) {
        const Kernel *kernel = kernels->items[i];
        if (i == numbers->program->loss_at)
            fprintf(stream, "%6s  %-28s\n", "", "(the caller computes the loss)");
        fprintf(stream, "%6d  %-28s %-18s ", i, kernel->module ? kernel->module->name : "parameters", kernel->what);
        print_accesses(numbers, kernel, "", ACCESS_read, ACCESS_update, stream);
        print_accesses(numbers, kernel, " -> ", ACCESS_write, ACCESS_update, stream);
        print_accesses(numbers, kernel, " (", ACCESS_scratch, ACCESS_scratch, stream);
        bool scratch = false;
        for (int k = 0; k < kernel->count; k++)
            scratch = scratch || kernel->bindings[k].access == ACCESS_scratch;
        fprintf(stream, "%s\n", scratch ? ")" : "");
    }
}

/* Copies of parameters, and what is watched, live until the program ends: their last kernel is "end". */
static void print_buffers(const Numbers *numbers, FILE *stream)
{
    fprintf(stream, "\n%6s %12s %12s   %s\n", "buffer", "offset", "bytes", "kernels");
    for (int i = 0; i < numbers->count; i++) {
        const Buffer *buffer = numbers->buffers[i];
        char number[16], last[16];
        snprintf(number, sizeof number, "#%d", i + 1);
        snprintf(last, sizeof last, buffer->last == INT32_MAX ? "end" : "%d", buffer->last);
        fprintf(stream, "%6s %12zu %12zu   %d to %s%s\n", number, buffer->offset, buffer->size, buffer->first, last,
                buffer->place == BUFFER_copy ? ", a parameter in another layout, refreshed when it changes" : "");
    }
}

void program_print_kernels(const Program *program, FILE *stream)
{
    Numbers numbers = numbers_new(program);
    print_kernels(&numbers, stream);
    print_buffers(&numbers, stream);
    fprintf(stream, "%d kernels, %d buffers in %.2f MiB\n", program->kernels[TURN_step].count, numbers.count,
            (double)(program->arena_size + program->copies_size) / 0x1p20);
    free(numbers.buffers);
}
