/* rank_agreement.c - see rank_agreement.h. */

#include "rank_agreement.h"

#include "host.h"
#include "random.h"
#include "time_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the same run? ---- */

/* Of numbers, one after another. */
static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    return (hash ^ word) * 0x9E3779B97F4A7C15u + (hash >> 32);
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const char *from = bytes;
    uint64_t word;
    for (; count >= sizeof word; from += sizeof word, count -= sizeof word) {
        memcpy(&word, from, sizeof word);
        hash = hash_word(hash, word);
    }
    word = count;
    memcpy(&word, from, count);
    return random_mix(hash_word(hash, word));
}

/* Where every value lies in the flat blocks. */
static uint64_t hash_layout(const Network *network)
{
    uint64_t hash = 0;
    for (int i = 0; i < network_param_count(network); i++) {
        const Param *param = network_param(network, i);
        if (param->role == PARAM_counter)
            continue;
        const ParamSpan span = parameters_span(network, param);
        uint32_t *positions = allocate(param->count, sizeof *positions, "positions");
        parameters_positions(network, param, positions);
        hash = hash_word(hash_word(hash, span.offset), span.room);
        hash = hash_bytes(hash, positions, param->count * sizeof *positions);
        free(positions);
    }
    return hash;
}

/* What ranks must have in common. */
typedef struct Fingerprint {
    char     machine[sizeof(((RunState *)0)->machine)], host[64];
    uint64_t data, settings, layout;
} Fingerprint;

static Fingerprint fingerprint_of(const Trainer *t)
{
    Fingerprint own = {
        .data = trainer_data_hash(t), .layout = hash_layout(t->network),
        .settings = hash_bytes(0, t->state.settings, strlen(t->state.settings)),
    };
    memcpy(own.machine, t->state.machine, sizeof own.machine);
    host_name(own.host, sizeof own.host);
    return own;
}

static bool refuse(int rank, const Fingerprint *own, const Fingerprint *first, Error *error)
{
    if (strcmp(own->machine, first->machine))
        return error_set(error, EXIT_peer, "ranks run other programs or processors: rank %d on %s is %s, rank 0 is %s: use machines of one kind and one "
                         "build, or set ONEDNN_MAX_CPU_ISA=AVX2 and CONVZOO_ISA=avx2 for all", rank, own->host, own->machine, first->machine);
    if (own->data != first->data)
        return error_set(error, EXIT_peer, "ranks have other images: rank %d on %s: its training or validation images are not those of rank 0: copy "
                         "--data again, or name one that all of them see", rank, own->host);
    if (own->settings != first->settings)
        return error_set(error, EXIT_peer, "ranks have other options: rank %d on %s: start all of them with one command line", rank, own->host);
    if (own->layout != first->layout)
        return error_set(error, EXIT_peer, "ranks lay their weights out differently: rank %d on %s: give all of them as many --threads, and one "
                         "--plan", rank, own->host);
    return true;
}

bool rank_agreement_same_run(const Trainer *t, Error *error)
{
    const int count = ranks_count(t->options.ranks);
    if (count == 1)
        return true;
    const Fingerprint own = fingerprint_of(t);
    Fingerprint *all = allocate((size_t)count, sizeof *all, "ranks");
    ranks_gather(t->options.ranks, &own, sizeof own, all);
    bool same = true;
    for (int rank = 1; same && rank < count; rank++)
        same = refuse(rank, &all[rank], &all[0], error);
    free(all);
    return same;
}

/* ---- what rank 0 brings ---- */

void rank_agreement_options(Trainer *t)
{
    const Ranks *ranks = t->options.ranks;
    ranks_broadcast(ranks, &t->options.plan, sizeof t->options.plan);
    ranks_broadcast(ranks, &t->options.val_batch, sizeof t->options.val_batch);
    ranks_broadcast(ranks, &t->options.exchange.bucket_bytes, sizeof t->options.exchange.bucket_bytes);
    ranks_broadcast(ranks, &t->options.most_steps, sizeof t->options.most_steps);
    ranks_broadcast(ranks, &t->options.save_steps, sizeof t->options.save_steps);
    ranks_broadcast(ranks, &t->options.max_seconds, sizeof t->options.max_seconds);
    ranks_broadcast(ranks, &t->options.data.as_stored, sizeof t->options.data.as_stored);
    ranks_broadcast(ranks, &t->options.augment.resized, sizeof t->options.augment.resized);
}

void rank_agreement_weights(Trainer *t)
{
    Parameters *p = network_parameters(t->network);
    ranks_broadcast(t->options.ranks, p->values, p->total * sizeof *p->values);
    ranks_broadcast(t->options.ranks, p->counters, kept_counters(t->network) * sizeof *p->counters);
    p->version++;
}

static void share_block(const Trainer *t, const KeptBlock *block)
{
    int64_t *counters = block->values ? block->counters : network_parameters(t->network)->counters;
    ranks_broadcast(t->options.ranks, kept_values(block, t->network), kept_floats(block, t->network) * sizeof(float));
    if (counters)
        ranks_broadcast(t->options.ranks, counters, kept_counters(t->network) * sizeof *counters);
}

static void share_number(const Ranks *ranks, const KeptNumber *number)
{
    ranks_broadcast(ranks, number->whole ? (void *)number->whole : number->real, number->whole ? sizeof *number->whole : sizeof *number->real);
}

/* What to do if a rank is lost. */
static void share_advice(const Trainer *t)
{
    char folder[512] = "";
    snprintf(folder, sizeof folder, "%s", t->folder ? t->folder->path : "");
    ranks_broadcast(t->options.ranks, folder, sizeof folder);
    if (*folder)
        ranks_advise(t->options.ranks, "go on with --resume %s", folder);
}

void rank_agreement_state(Trainer *t)
{
    const Ranks *ranks = t->options.ranks;
    if (ranks_count(ranks) == 1)
        return;
    const Kept parts = parts_keep(t), kept = kept_all(t->optimizer, &parts);
    for (int i = 0; i < kept.block_count; i++)
        share_block(t, &kept.blocks[i]);
    for (int i = 0; i < kept.number_count; i++)
        share_number(ranks, &kept.numbers[i]);
    ranks_broadcast(ranks, &t->optimizer->steps, sizeof t->optimizer->steps);
    ranks_broadcast(ranks, &t->state, sizeof t->state);
    ranks_broadcast(ranks, &t->saved_step, sizeof t->saved_step);
    share_advice(t);
    if (!ranks_first(ranks))
        time_plan_apply(t);
    network_parameters(t->network)->version++;
}

/* ---- the same weights? ---- */

bool rank_agreement_same_weights(const Trainer *t, Error *error)
{
    const Ranks *ranks = t->options.ranks;
    const int count = ranks_count(ranks);
    const Parameters *p = network_parameters(t->network);
    if (count == 1)
        return true;
    uint64_t *hashes = allocate((size_t)count, sizeof *hashes, "hashes of weights");
    uint64_t own = hash_bytes(0, p->values, p->total * sizeof *p->values);
    for (int i = 0; i < t->optimizer->states; i++)      /* a rank steps some matrices from its own states, but rank 0 saves them all */
        own = hash_bytes(own, t->optimizer->state[i], t->optimizer->count * sizeof(float));
    ranks_gather(ranks, &own, sizeof own, hashes);
    int same = 1;
    while (same < count && hashes[same] == hashes[0])
        same++;
    if (same < count)
        error_set(error, EXIT_peer, "weights differ: rank %d's are not those of rank 0 after step %llu: its memory, processor or network may be faulty: "
                  "go on without it from %s", same, (unsigned long long)t->state.step, t->folder ? t->folder->path : "the last checkpoint");
    free(hashes);
    return same == count;
}
