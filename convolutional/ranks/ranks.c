/* ranks.c - see ranks.h. */

#include "ranks.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ranks_count(const Ranks *ranks)
{
    return ranks ? ranks->count : 1;
}

int ranks_rank(const Ranks *ranks)
{
    return ranks ? ranks->rank : 0;
}

bool ranks_first(const Ranks *ranks)
{
    return ranks_rank(ranks) == 0;
}

static void turn_to(const Ranks *ranks, RankWork work)
{
    if (ranks->transport->turns_to)
        ranks->transport->turns_to(ranks->state, work);
}

void ranks_broadcast(const Ranks *ranks, void *data, size_t bytes)
{
    if (ranks_count(ranks) == 1)
        return;
    turn_to(ranks, RANK_listens);
    ranks->transport->broadcast(ranks->state, data, bytes);
    turn_to(ranks, ranks->work);
}

void ranks_gather(const Ranks *ranks, const void *own, size_t bytes, void *all)
{
    if (ranks_count(ranks) == 1) {
        memcpy(all, own, bytes);
        return;
    }
    turn_to(ranks, RANK_listens);
    ranks->transport->gather(ranks->state, own, bytes, all);
    turn_to(ranks, ranks->work);
}

bool ranks_decide(const Ranks *ranks, bool first_says)
{
    ranks_broadcast(ranks, &first_says, sizeof first_says);
    return first_says;
}

typedef struct RankHealth {
    int32_t ok, code;
    char    text[sizeof(((Error *)0)->text)];
} RankHealth;

bool ranks_agree(const Ranks *ranks, bool ok, Error *error)
{
    const int count = ranks_count(ranks);
    if (count == 1)
        return ok;
    RankHealth own = { .ok = ok }, *all = allocate((size_t)count, sizeof *all, "ranks");
    if (!ok) {
        own.code = (int32_t)error->code;
        memcpy(own.text, error->text, sizeof own.text);
    }
    ranks_gather(ranks, &own, sizeof own, all);
    int ill = 0;
    while (ill < count && all[ill].ok)
        ill++;
    if (ill == 0)
        error_set(error, (ExitCode)all[0].code, "%s", all[0].text);
    else if (ill < count)
        error_set(error, (ExitCode)all[ill].code, "rank %d: %s", ill, all[ill].text);
    free(all);
    return ill == count;
}

/* Who gives way at once to whatever runs beside it waits for a slice of that program's time, though the message comes in microseconds. */
void ranks_pause(const Ranks *ranks, int turns)
{
    enum { PATIENCE = 5000 };
    if (ranks->crowded || turns > PATIENCE)
        sched_yield();
}

void ranks_wait(const Ranks *ranks, int request)
{
    turn_to(ranks, RANK_listens);
    for (int turns = 0; !ranks->transport->done(ranks->state, request); turns++)
        ranks_pause(ranks, turns);
    turn_to(ranks, ranks->work);
}

void ranks_alive(const Ranks *ranks)
{
    if (ranks_count(ranks) > 1 && ranks->transport->alive)
        ranks->transport->alive(ranks->state);
}

void ranks_turn_to(Ranks *ranks, RankWork work)
{
    if (ranks_count(ranks) == 1)
        return;
    ranks->work = work;
    turn_to(ranks, work);
}

void ranks_at_step(const Ranks *ranks, uint64_t step)
{
    if (ranks_count(ranks) > 1 && ranks->transport->at_step)
        ranks->transport->at_step(ranks->state, step);
}

void ranks_advise(const Ranks *ranks, const char *format, ...)
{
    char text[512];
    if (ranks_count(ranks) == 1 || !ranks->transport->advise)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ranks->transport->advise(ranks->state, text);
}

size_t ranks_start(const Ranks *ranks, size_t count, size_t unit, int rank)
{
    const size_t units = (count + unit - 1) / unit, at = units * (size_t)rank / (size_t)ranks_count(ranks) * unit;
    return at < count ? at : count;
}

void ranks_cut(const Ranks *ranks, size_t count, size_t unit, size_t *starts)
{
    for (int rank = 0; rank <= ranks_count(ranks); rank++)
        starts[rank] = ranks_start(ranks, count, unit, rank);
}
