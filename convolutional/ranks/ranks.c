/* ranks.c - see ranks.h. */

#include "ranks.h"

#include <sched.h>
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

void ranks_broadcast(const Ranks *ranks, void *data, size_t bytes)
{
    if (ranks_count(ranks) > 1)
        ranks->transport->broadcast(ranks->state, data, bytes);
}

void ranks_gather(const Ranks *ranks, const void *own, size_t bytes, void *all)
{
    if (ranks_count(ranks) > 1)
        ranks->transport->gather(ranks->state, own, bytes, all);
    else if (all != own)
        memcpy(all, own, bytes);
}

bool ranks_decide(const Ranks *ranks, bool first_says)
{
    ranks_broadcast(ranks, &first_says, sizeof first_says);
    return first_says;
}

void ranks_wait(const Ranks *ranks, int request)
{
    while (!ranks->transport->done(ranks->state, request))
        sched_yield();      /* where ranks share a core, it is the other's */
}

void ranks_alive(const Ranks *ranks)
{
    if (ranks_count(ranks) > 1)
        ranks->transport->alive(ranks->state);
}

void ranks_cut(const Ranks *ranks, size_t count, size_t unit, size_t *starts)
{
    const size_t parts = (size_t)ranks_count(ranks), units = (count + unit - 1) / unit;
    for (size_t r = 0; r <= parts; r++) {
        const size_t at = units * r / parts * unit;
        starts[r] = at < count ? at : count;
    }
}
