/* arena.c - one block of memory for every buffer of a program, shared by lifetime; programs that run in turn may share one block.
 *
 * A buffer occupies its bytes from the first kernel that is bound to it to the last. Largest first, each is put at the
 * lowest offset where it overlaps no placed buffer that lives at the same time. */

#include "program_build.h"

#include "errors.h"
#include "sizes.h"

#include <stdlib.h>

enum { ALIGNMENT = 4096 };      /* a page, so that no two buffers share one */

/* A kernel that may write over what it reads: the two become one buffer if the read one ends there. */
static void merge_in_place(const Kernel *kernel)
{
    if (!kernel->in_place_read || !kernel->in_place_written)
        return;
    Buffer *read = buffer_root(kernel->in_place_read), *written = buffer_root(kernel->in_place_written);
    if (read == written || read->place != BUFFER_arena || written->place != BUFFER_arena)
        return;
    if (read->last != kernel->index || written->first != kernel->index || written->size > read->size)
        return;
    written->root = read;
    read->last = written->last;
}

static int by_size(const void *left, const void *right)
{
    const Buffer *a = *(Buffer *const *)left, *b = *(Buffer *const *)right;
    if (a->size != b->size)
        return a->size < b->size ? 1 : -1;
    return a->first != b->first ? (a->first > b->first ? 1 : -1) : 0;
}

static bool live_together(const Buffer *a, const Buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static int by_offset(const void *left, const void *right)
{
    const Buffer *a = *(Buffer *const *)left, *b = *(Buffer *const *)right;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The lowest gap among the placed buffers that live at the same time. `conflicts` is room for all of them. */
static size_t lowest_offset(const Buffer *buffer, Buffer **placed, int count, Buffer **conflicts)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        if (live_together(buffer, placed[i]))
            conflicts[found++] = placed[i];
    qsort(conflicts, (size_t)found, sizeof *conflicts, by_offset);
    size_t offset = 0;
    for (int i = 0; i < found; i++) {
        if (conflicts[i]->offset >= offset + buffer->size)
            break;
        const size_t end = conflicts[i]->offset + conflicts[i]->size;
        if (end > offset)
            offset = end;
    }
    return offset;
}

void program_place_buffers(Program *program)
{
    for (int i = 0; i < program->kernels[TURN_step].count; i++)
        merge_in_place(program->kernels[TURN_step].items[i]);

    const size_t room = (size_t)program->buffers.count + 1;
    Buffer **live = allocate(room, sizeof *live, "a program"), **conflicts = allocate(room, sizeof *conflicts, "a program");
    int count = 0;
    for (int i = 0; i < program->buffers.count; i++) {
        Buffer *buffer = program->buffers.items[i];
        if (buffer->root != buffer)
            continue;
        CHECK(size_round_up(buffer->size, ALIGNMENT, &buffer->size), "a buffer of %zu bytes", buffer->size);
        if (buffer->place == BUFFER_copy) {
            buffer->offset = program->copies_size;
            program->copies_size += buffer->size;
        } else if (buffer->place == BUFFER_arena && buffer->first <= buffer->last) {
            live[count++] = buffer;
        }
    }
    qsort(live, (size_t)count, sizeof *live, by_size);
    for (int i = 0; i < count; i++) {
        live[i]->offset = lowest_offset(live[i], live, i, conflicts);
        if (live[i]->offset + live[i]->size > program->arena_size)
            program->arena_size = live[i]->offset + live[i]->size;
    }
    free(live);
    free(conflicts);
}

void program_point_arena(Program *program, char *arena)
{
    program->arena = arena;
    for (int i = 0; i < program->buffers.count; i++) {
        Buffer *buffer = program->buffers.items[i];
        if (buffer->place == BUFFER_arena && buffer->root == buffer)
            buffer->pointer = arena + buffer->offset;
    }
    for (Turn turn = 0; turn < TURN_COUNT; turn++)
        for (int i = 0; i < program->kernels[turn].count; i++)
            kernel_complete(program->kernels[turn].items[i]);
}

void program_set_arena(Program *program, void *arena)
{
    CHECK(program->purpose.shares_arena, "an arena for a program that has its own (batch %d)", program->batch);
    program_point_arena(program, arena);
}

size_t program_arena_bytes(const Program *program)
{
    return program->arena_size;
}
