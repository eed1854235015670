/* slices.c - see slices.h. */

#include "slices.h"

#include "trainer.h"
#include "threads.h"
#include "tree_sum.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- which parts ---- */

enum { REPRODUCIBLE_PARTS = 4 };

/* Parts of a batch, so that each rank has as many. */
static int parts_of(const TrainerOptions *o)
{
    if (o->bn_group > 0)
        return o->batch / o->bn_group;
    return o->reproducible ? REPRODUCIBLE_PARTS : ranks_count(o->ranks);
}

static bool is_power_of_two(int number)
{
    return (number & (number - 1)) == 0;
}

static bool check_parts(const TrainerOptions *o, int parts, Error *error)
{
    const int ranks = ranks_count(o->ranks);
    if (parts == 0 || parts % ranks != 0)
        return error_set(error, EXIT_usage, "%d parts of a batch for %d ranks: %s: each rank takes as many: use %s", parts, ranks,
                         o->bn_group > 0 ? "--bn ghost" : "--reproducible",
                         o->bn_group > 0 ? "a -b that is a multiple of the group times the ranks" : "1, 2 or 4 ranks, or --bn ghost:N with a part for each");
    if (o->bn_group == BN_SYNC && parts != ranks)
        return error_set(error, EXIT_usage, "%d parts for %d ranks: --bn sync: a layer waits for all of them at once, so that each rank has one: use %d "
                         "ranks, or leave --reproducible out", parts, ranks, parts);
    if (o->reproducible && (!is_power_of_two(parts) || !is_power_of_two(ranks)))
        return error_set(error, EXIT_usage, "%d parts, %d ranks: --reproducible: sums have the same bits for powers of two alone: change -b, "
                         "--bn ghost:N or the number of ranks", parts, ranks);
    return true;
}

static int lanes_of(int parts)
{
    const int threads = threads_settle(0), most = threads < SLICES_LANES ? threads : SLICES_LANES;
    return parts < most ? parts : most;
}

bool slices_settle(Trainer *t, Error *error)
{
    TrainerOptions *o = &t->options;
    const int asked = o->batch, ranks = ranks_count(o->ranks), unit = o->bn_group > 0 ? o->bn_group * ranks : parts_of(o);
    if (unit > o->batch)
        return error_set(error, EXIT_usage, "%d images at a time cannot be shared by %d parts (of ranks, --bn ghost or --reproducible): -b: %u images in all: use %s, or "
                         "fewer parts", o->batch, unit, t->train_set->count, t->train_set->count < (uint32_t)unit ? "more images" : "a larger -b");
    o->batch -= o->batch % unit;
    const int parts = parts_of(o);
    if (!check_parts(o, parts, error))
        return false;
    if (o->batch != asked)
        trainer_note(t, "note: %d images a step instead of %d: %d parts of %d each", o->batch, asked, parts, o->batch / parts);
    o->val_batch = (o->val_batch + parts - 1) / parts * parts;
    t->slices.share = (LoaderShare){ .parts = parts, .first = parts / ranks * ranks_rank(o->ranks), .count = parts / ranks };
    t->slices.samples = o->batch / parts;
    if (o->reproducible)
        t->slices.lanes = lanes_of(t->slices.share.count);
    return true;
}

/* ---- memory ---- */

static float **blocks_new(int count, size_t floats, const char *what)
{
    float **blocks = allocate((size_t)count, sizeof *blocks, what);
    for (int i = 0; i < count; i++)
        blocks[i] = allocate(floats, sizeof **blocks, what);
    return blocks;
}

static void blocks_free(float **blocks, int count)
{
    for (int i = 0; blocks && i < count; i++)
        free(blocks[i]);
    free(blocks);
}

/* In the order of the ranks: all have the same bits. */
static void join_sum(void *context, double *numbers, size_t count)
{
    const Trainer *t = context;
    const int ranks = ranks_count(t->options.ranks);
    double *all = t->slices.joined;
    ranks_gather(t->options.ranks, numbers, count * sizeof *numbers, all);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = 0.0;
        for (int r = 0; r < ranks; r++)
            numbers[i] += all[(size_t)r * count + i];
    }
}

/* Room for two numbers a channel of the widest layer, of each rank. */
static void open_join(Trainer *t)
{
    enum { PADDING = 64 };
    Slices *s = &t->slices;
    size_t widest = 0;
    for (int i = 0; i < network_module_count(t->network); i++) {
        const size_t c = (size_t)network_module(t->network, i)->out->shape.c;
        widest = c > widest ? c : widest;
    }
    s->joined = allocate((size_t)ranks_count(t->options.ranks), 2 * (widest + PADDING) * sizeof *s->joined, "joined statistics");
    s->join = (StatisticsJoin){ .processes = ranks_count(t->options.ranks), .sum = join_sum, .context = t };
    network_parameters(t->network)->join = &s->join;
}

void slices_open(Trainer *t)
{
    Slices *s = &t->slices;
    const Parameters *p = network_parameters(t->network);
    s->words = allocate((size_t)s->share.parts, sizeof *s->words, "losses of parts");
    if (s->share.count > 1) {
        s->gradients = blocks_new(s->share.count, p->trained, "gradients of parts");
        s->statistics = blocks_new(s->share.count, p->total - p->trained, "statistics of parts");
    }
    if (ranks_count(t->options.ranks) > 1) {
        ExchangeOptions options = t->options.exchange;
        options.parts = s->share.parts;
        s->exchange = exchange_new(t->options.ranks, t->network, &options);
        trainer_note(t, "%d ranks of %d images each; gradients travel as %s, in %d pieces of up to %.0f KiB", ranks_count(t->options.ranks),
                     s->share.count * s->samples, options.wire == WIRE_bf16 ? "bf16" : "f32", exchange_buckets(s->exchange),
                     (double)exchange_bucket_bytes(s->exchange) / 1024.0);
    }
    if (s->exchange && t->options.bn_group == BN_SYNC)
        open_join(t);
    if (t->options.bn_group != 0 && p->total == p->trained)
        trainer_note(t, "note: --bn changes nothing: %s has no batch norm", t->options.arch->key);
    if (s->lanes)
        trainer_note(t, "reproducible: %d parts of %d images, %d of them here, %d at a time", s->share.parts, s->samples, s->share.count, s->lanes);
    slices_follow(t);
}

void slices_close(Trainer *t)
{
    Slices *s = &t->slices;
    exchange_free(s->exchange);
    blocks_free(s->gradients, s->share.count);
    blocks_free(s->statistics, s->share.count);
    free(s->joined);
    free(s->words);
}

void slices_follow(Trainer *t)
{
    if (t->slices.exchange)
        exchange_follow(t->slices.exchange, t->program);
}

/* ---- a batch ---- */

/* Of this rank's part number i. key: of random numbers, one a batch. */
static void forward(const Trainer *t, Program *program, const Batch *batch, uint64_t key, int i)
{
    const Slices *s = &t->slices;
    const size_t size = shape_size(network_image(program_network(program))->shape);
    program_set_image(program, batch->images + (size_t)(i * s->samples) * size);
    program_set_step(program, t->options.seed, key * (uint64_t)s->share.parts + (uint64_t)(s->share.first + i));
    program_forward(program);
}

/* A part that nothing was mixed in, beside others, is as if there were no mixing. */
static bool is_mixed(const Slices *s, const Batch *batch, int from)
{
    if (!batch->others || s->share.parts == 1)
        return batch->others != NULL;
    for (int i = 0; i < s->samples; i++)
        if (batch->shares[from + i] != 1.0f)
            return true;
    return false;
}

static void measure(Trainer *t, Program *program, const Batch *batch, int i)
{
    Slices *s = &t->slices;
    const int from = i * s->samples;
    const bool mixed = is_mixed(s, batch, from);
    const Targets targets = {
        .labels = batch->labels + from, .others = mixed ? batch->others + from : NULL, .shares = mixed ? batch->shares + from : NULL,
    };
    LossOptions loss = t->loss;
    PartWord *word = &s->words[s->share.first + i];
    *word = (PartWord){ .stop = trainer_own_stop(t) };
    loss.parts = s->share.parts;
    loss_measure(&loss, program_logits(program), &targets, s->samples, s->samples, t->info.class_count, program_logits_gradient(program), &word->sum);
}

/* Where this rank has several parts, each begins with the running statistics of the step before, in blocks of its own. */
static void begin_part(Trainer *t, Program *program, int i)
{
    const Parameters *p = network_parameters(t->network);
    const Slices *s = &t->slices;
    if (s->share.count == 1)
        return;
    memcpy(s->statistics[i], p->values + p->trained, (p->total - p->trained) * sizeof(float));
    program_set_blocks(program, s->gradients[i], s->statistics[i]);
}

/* What is done with a part. */
typedef void PartWork(Trainer *t, Program *program, const Batch *batch, uint64_t key, int i);

static void run_gradients(Trainer *t, Program *program, const Batch *batch, uint64_t key, int i)
{
    Slices *s = &t->slices;
    begin_part(t, program, i);
    forward(t, program, batch, key, i);
    measure(t, program, batch, i);
    if (!s->exchange && !isfinite(s->words[i].sum.loss))
        return;
    if (s->exchange && s->share.count == 1)
        exchange_begin(s->exchange, s->words, sizeof *s->words);
    program_backward(program);
}

static void run_statistics(Trainer *t, Program *program, const Batch *batch, uint64_t key, int i)
{
    begin_part(t, program, i);
    forward(t, program, batch, key, i);
}

/* All parts, one after another or each lane with its own. */
static void run_parts(Trainer *t, PartWork *work, const Batch *batch, uint64_t key)
{
    const Slices *s = &t->slices;
    if (s->lanes == 0) {
        for (int i = 0; i < s->share.count; i++)
            work(t, t->program, batch, key, i);
        return;
    }
    Program *const *lanes = t->stages.of[t->stages.current].lanes;
    #pragma omp parallel num_threads(s->lanes)
    {
        const int step = omp_get_num_threads();
        omp_set_num_threads(1);      /* of what this thread runs */
        for (int i = omp_get_thread_num(); i < s->share.count; i += step)
            work(t, lanes[omp_get_thread_num()], batch, key, i);
    }
}

/* What is left to do on the way to the mean: by the exchange, or here. */
static void sum_statistics(Trainer *t)
{
    const Slices *s = &t->slices;
    Parameters *p = network_parameters(t->network);
    tree_sum(s->share.count, s->statistics, p->total - p->trained, s->exchange ? 1.0f : 1.0f / (float)s->share.parts, p->values + p->trained);
    program_count_batch(t->program);
}

void slices_gradients(Trainer *t, const Batch *batch)
{
    Slices *s = &t->slices;
    run_parts(t, run_gradients, batch, t->state.step * t->turns + t->turn);
    if (s->share.count > 1) {
        const Parameters *p = network_parameters(t->network);
        tree_sum(s->share.count, s->gradients, p->trained, 1.0f, p->gradients);
        sum_statistics(t);
        if (s->exchange)
            exchange_begin(s->exchange, s->words, sizeof *s->words);
    }
    if (s->exchange)
        exchange_end(s->exchange);
}

void slices_statistics(Trainer *t, const Batch *batch, uint64_t key)
{
    Slices *s = &t->slices;
    run_parts(t, run_statistics, batch, key);
    if (s->share.count > 1)
        sum_statistics(t);
    if (s->exchange)
        exchange_statistics(s->exchange);
}
