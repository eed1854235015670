/* exchange.c - see exchange.h.
 *
 *   waiting -> spreading -> collecting -> done      a bucket's way; buckets begin each stage in one order, the same on all ranks
 *
 * spreading: every rank sends rank r the r-th piece of its bucket; rank r sums what it receives. collecting: it sends the sum to all. */

#include "exchange.h"

#include "bucket.h"
#include "clock.h"

#include <stdlib.h>

struct Exchange {
    Ranks          *ranks;
    Network        *network;
    ExchangeOptions options;
    Program        *program;            /* followed; NULL: none yet */
    Bucket         *buckets;            /* in the order in which backward completes them */
    int             count, begun, collecting, done;
    size_t          bucket_bytes;
    size_t         *word_starts;        /* ranks + 1 */
    int             word_request;       /* -1: the words have arrived */
    double          waited;
};

/* ---- cutting the blocks ---- */

enum { UNIT = 16, LEAST_BYTES = 1 << 16, MOST_BYTES = 1 << 23 };      /* UNIT: floats of a cache line */

/* Floats of a bucket, whole cache lines. */
static size_t bucket_floats(const Exchange *e)
{
    const size_t most = e->bucket_bytes / sizeof(float) / UNIT * UNIT;
    return most ? most : UNIT;
}

/* From the end: backward completes the last layers first. */
static void cut(Exchange *e, float *block, size_t first, size_t last, bool gradients)
{
    const size_t most = bucket_floats(e);
    while (last > first) {
        const size_t count = last - first < most + most / 2 ? last - first : most;
        last -= count;
        e->buckets[e->count] = bucket_new(e->ranks, block + last, count, gradients ? last : SIZE_MAX,
                                          gradients ? 1.0f : 1.0f / (float)e->options.parts, gradients && e->options.wire == WIRE_bf16);
        e->buckets[e->count].number = e->count;
        e->count++;
    }
}

static void make_buckets(Exchange *e)
{
    const Parameters *p = network_parameters(e->network);
    const size_t most = bucket_floats(e);
    e->buckets = allocate(p->total / most + 4, sizeof *e->buckets, "buckets of gradients");
    cut(e, p->values, p->trained, p->total, false);
    cut(e, p->gradients, p->decayed, p->trained, true);
    cut(e, p->gradients, 0, p->decayed, true);
}

/* Seconds of an exchange of so many floats, the least of several. */
static double time_bucket(Exchange *e, size_t count)
{
    enum { TRIES = 5 };
    double least = 1e9;
    float *numbers = allocate(count, sizeof *numbers, "a trial of the exchange");
    Bucket bucket = bucket_new(e->ranks, numbers, count, SIZE_MAX, 1.0f, false);
    for (int i = 0; i < TRIES; i++) {
        const double begin = seconds_now();
        bucket_exchange(&bucket, e->ranks);
        const double seconds = seconds_now() - begin;
        least = seconds < least ? seconds : least;
    }
    bucket_free(&bucket);
    free(numbers);
    return least;
}

size_t exchange_fitting_bytes(double least, double byte)
{
    const double wanted = byte > 0.0 ? 10.0 * least / byte : MOST_BYTES;
    return wanted < LEAST_BYTES ? LEAST_BYTES : wanted > MOST_BYTES ? MOST_BYTES : (size_t)wanted;
}

/* Rank 0 decides. */
static size_t measured_bytes(Exchange *e)
{
    const size_t small = 1 << 10, large = 1 << 18;      /* floats */
    const double of_small = time_bucket(e, small), of_large = time_bucket(e, large);
    const double a_byte = (of_large - of_small) / (double)((large - small) * sizeof(float));
    size_t bytes = exchange_fitting_bytes(of_small, a_byte);
    ranks_broadcast(e->ranks, &bytes, sizeof bytes);
    return bytes;
}

Exchange *exchange_new(Ranks *ranks, Network *network, const ExchangeOptions *options)
{
    const size_t count = (size_t)ranks_count(ranks);
    CHECK(count > 1, "an exchange between %zu ranks", count);
    CHECK(options->parts > 0 && options->parts % (int)count == 0, "%d parts for %zu ranks", options->parts, count);
    Exchange *e = allocate(1, sizeof *e, "an exchange");
    *e = (Exchange){ .ranks = ranks, .network = network, .options = *options, .word_request = -1 };
    e->word_starts = allocate(count + 1, sizeof *e->word_starts, "an exchange");
    ranks_cut(ranks, (size_t)options->parts, 1, e->word_starts);
    e->bucket_bytes = options->bucket_bytes ? options->bucket_bytes : measured_bytes(e);
    make_buckets(e);
    e->begun = e->collecting = e->done = e->count;      /* nothing is to be sent before exchange_begin */
    return e;
}

void exchange_free(Exchange *e)
{
    if (!e)
        return;
    if (e->program)
        program_watch_backward(e->program, NULL, NULL);
    for (int i = 0; i < e->count; i++)
        bucket_free(&e->buckets[i]);
    free(e->buckets);
    free(e->word_starts);
    free(e);
}

size_t exchange_bucket_bytes(const Exchange *e)
{
    return e->bucket_bytes;
}

int exchange_buckets(const Exchange *e)
{
    return e->count;
}

size_t exchange_bucket(const Exchange *e, int i, int *ready)
{
    const Bucket *bucket = &e->buckets[i];
    *ready = bucket->ready;
    return bucket->count * (bucket->wire ? sizeof *bucket->wire : sizeof *bucket->block);
}

void exchange_set_late(Exchange *e, bool late)
{
    e->options.late = late;
}

double exchange_waited(const Exchange *e)
{
    return e->waited;
}

/* ---- a step ---- */

/* Begins every bucket that is complete after so many kernels of backward, and moves on those under way. */
static void advance(Exchange *e, int kernels)
{
    while (e->begun < e->count && e->buckets[e->begun].ready <= kernels)
        bucket_spread(&e->buckets[e->begun++], e->ranks);
    while (e->collecting < e->begun && bucket_arrived(&e->buckets[e->collecting], e->ranks))
        bucket_collect(&e->buckets[e->collecting++], e->ranks);
    while (e->done < e->collecting && bucket_arrived(&e->buckets[e->done], e->ranks))
        bucket_take(&e->buckets[e->done++]);
}

/* Whether a bucket is under way or may begin. */
static bool is_busy(const Exchange *e, int kernels)
{
    return e->done < e->begun || (e->begun < e->count && e->buckets[e->begun].ready <= kernels);
}

/* A look moves a piece of a message, and while a long kernel runs many pieces come (MPICH's are small). Looks go on until one of them
 * was so short that it has found little: who takes every byte as it comes does nothing else. */
static void look(Exchange *e, int kernels)
{
    static const double LITTLE = 4e-5;      /* seconds of a look */
    double seconds = LITTLE;
    while (seconds >= LITTLE && is_busy(e, kernels)) {
        const double begin = seconds_now();
        advance(e, kernels);
        seconds = seconds_now() - begin;
    }
}

static void watch(void *context, int kernels)
{
    Exchange *e = context;
    ranks_alive(e->ranks);
    if (!e->options.late)
        look(e, kernels);
}

static void finish(Exchange *e)
{
    while (e->begun < e->count)
        bucket_spread(&e->buckets[e->begun++], e->ranks);
    for (int turns = 0, before = e->done; e->done < e->count; turns = e->done > before ? 0 : turns + 1) {
        before = e->done;
        advance(e, 0);
        ranks_pause(e->ranks, turns);
    }
}

static int by_readiness(const void *left, const void *right)
{
    const Bucket *a = left, *b = right;
    if (a->ready != b->ready)
        return a->ready > b->ready ? 1 : -1;
    return a->number > b->number ? 1 : -1;
}

void exchange_follow(Exchange *e, Program *program)
{
    if (e->program)
        program_watch_backward(e->program, NULL, NULL);
    e->program = program;
    if (!program)
        return;
    program_watch_backward(program, watch, e);
    for (int b = 0; b < e->count; b++)
        e->buckets[b].ready = 0;
    for (int i = 0; i < network_param_count(e->network); i++) {
        const Param *param = network_param(e->network, i);
        if (!param_is_trained(param))
            continue;
        const ParamSpan span = parameters_span(e->network, param);
        const int done = program_gradient_done(program, param);
        for (int b = 0; b < e->count; b++)
            if (bucket_overlaps(&e->buckets[b], span) && done > e->buckets[b].ready)
                e->buckets[b].ready = done;
    }
    qsort(e->buckets, (size_t)e->count, sizeof *e->buckets, by_readiness);
}

void exchange_begin(Exchange *e, void *words, size_t word_bytes)
{
    e->begun = e->collecting = e->done = 0;
    e->word_request = e->ranks->transport->collect(e->ranks->state, words, e->word_starts, word_bytes);
    if (!e->options.late)
        advance(e, 0);
}

void exchange_end(Exchange *e)
{
    const double begin = seconds_now();
    ranks_turn_to(e->ranks, RANK_listens);
    finish(e);
    ranks_wait(e->ranks, e->word_request);
    ranks_turn_to(e->ranks, RANK_computes);
    network_parameters(e->network)->version++;
    e->waited = seconds_now() - begin;
}

void exchange_statistics(Exchange *e)
{
    for (int b = 0; b < e->count; b++)
        if (e->buckets[b].place == SIZE_MAX)      /* no gradients */
            bucket_exchange(&e->buckets[b], e->ranks);
    network_parameters(e->network)->version++;
}
