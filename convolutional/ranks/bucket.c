/* bucket.c - see bucket.h. */

#include "bucket.h"

#include "bf16.h"
#include "tree_sum.h"

#include <stdlib.h>

enum { UNIT = 16, CHUNK = 1 << 14 };      /* floats: of a cache line; that one thread takes at a time */

Bucket bucket_new(const Ranks *ranks, float *block, size_t count, size_t place, float scale, bool bf16)
{
    const size_t parts = (size_t)ranks_count(ranks);
    Bucket b = { .block = block, .count = count, .place = place, .scale = scale, .ranks = (int)parts, .rank = ranks_rank(ranks) };
    b.starts = allocate(parts + 1, sizeof *b.starts, "a bucket");
    ranks_cut(ranks, count, UNIT, b.starts);
    b.own = b.starts[b.rank + 1] - b.starts[b.rank];
    b.received = allocate(parts * b.own + 1, sizeof *b.received, "a bucket's pieces");
    b.rows = allocate(parts, sizeof *b.rows, "a bucket");
    for (size_t r = 0; r < parts; r++)
        b.rows[r] = b.received + r * b.own;
    if (bf16) {
        b.wire = allocate(count, sizeof *b.wire, "a bucket in bf16");
        b.wire_received = allocate(parts * b.own + 1, sizeof *b.wire_received, "a bucket's pieces in bf16");
    }
    return b;
}

void bucket_free(Bucket *b)
{
    free(b->starts);
    free(b->rows);
    free(b->received);
    free(b->wire);
    free(b->wire_received);
}

bool bucket_overlaps(const Bucket *b, ParamSpan span)
{
    return b->place != SIZE_MAX && span.offset < b->place + b->count && b->place < span.offset + span.room;
}

/* ---- bf16 ---- */

static void round_all(size_t count, const float *from, uint16_t *to)
{
    #pragma omp parallel for schedule(static, CHUNK)
    for (size_t i = 0; i < count; i++)
        to[i] = bf16_from_float(from[i]);
}

static void widen_all(size_t count, const uint16_t *from, float *to)
{
    #pragma omp parallel for schedule(static, CHUNK)
    for (size_t i = 0; i < count; i++)
        to[i] = bf16_to_float(from[i]);
}

/* ---- its way ---- */

void bucket_spread(Bucket *b, const Ranks *ranks)
{
    if (b->wire)
        round_all(b->count, b->block, b->wire);
    const void *sent = b->wire ? (const void *)b->wire : b->block;
    void *received = b->wire ? (void *)b->wire_received : b->received;
    b->request = ranks->transport->spread(ranks->state, sent, b->starts, b->wire ? sizeof *b->wire : sizeof *b->block, received);
}

void bucket_collect(Bucket *b, const Ranks *ranks)
{
    float *own = b->block + b->starts[b->rank];
    if (b->wire)
        widen_all((size_t)b->ranks * b->own, b->wire_received, b->received);
    tree_sum(b->ranks, b->rows, b->own, b->scale, own);
    if (b->wire)
        round_all(b->own, own, b->wire + b->starts[b->rank]);
    b->request = ranks->transport->collect(ranks->state, b->wire ? (void *)b->wire : b->block, b->starts,
                                           b->wire ? sizeof *b->wire : sizeof *b->block);
}

void bucket_take(Bucket *b)
{
    if (b->wire)
        widen_all(b->count, b->wire, b->block);
}

void bucket_exchange(Bucket *b, const Ranks *ranks)
{
    bucket_spread(b, ranks);
    ranks_wait(ranks, b->request);
    bucket_collect(b, ranks);
    ranks_wait(ranks, b->request);
    bucket_take(b);
}

bool bucket_arrived(const Bucket *b, const Ranks *ranks)
{
    return ranks->transport->done(ranks->state, b->request);
}
