/* optimizer_share.c - ranks share out the matrix products of a step; see optimizer.h and optimizer_rule.h.
 *
 * After the exchange every rank has all gradients, and could step all weights. Muon's iteration takes as long as many images: each matrix is stepped by
 * one rank, and the others get its weights. The bits do not depend on which rank that is. Ranks have neighbouring matrices, of about equal cost. */

#include "optimizer_rule.h"

#include <stdlib.h>

/* 0: every rank steps the group itself. */
static double cost_of(const Optimizer *optimizer, const OptimizerGroup *group)
{
    if (!group->param || group->frozen || !group->rule->cost)
        return 0;
    const OptimizerTensor tensor = optimizer_tensor(optimizer, group->param);
    return group->rule->cost(&tensor);
}

void optimizer_share_cut(Optimizer *optimizer)
{
    const int count = ranks_count(optimizer->ranks);
    double all = 0, before = 0;
    size_t end = 0;
    int next = 0;      /* the rank whose share is still to begin */
    if (!optimizer->shares)
        return;
    for (int i = 0; i < optimizer->group_count; i++)
        all += cost_of(optimizer, &optimizer->groups[i]);
    for (int i = 0; i < optimizer->group_count; i++) {
        const OptimizerGroup *group = &optimizer->groups[i];
        const double cost = cost_of(optimizer, group);
        if (cost == 0)
            continue;
        const int rank = (int)(count * (before + cost / 2) / all);      /* where its middle lies */
        for (; next <= rank; next++)
            optimizer->shares[next] = group->first;
        before += cost;
        end = group->last;
    }
    for (; next <= count; next++)
        optimizer->shares[next] = end;
}

void optimizer_share(Optimizer *optimizer, Ranks *ranks)
{
    if (ranks_count(ranks) == 1)
        return;
    optimizer->ranks = ranks;
    optimizer->shares = allocate((size_t)ranks_count(ranks) + 1, sizeof *optimizer->shares, "shares of ranks");
    optimizer_share_cut(optimizer);
}

bool optimizer_share_elsewhere(const Optimizer *optimizer, const OptimizerGroup *group)
{
    const size_t *shares = optimizer->shares;
    const int rank = ranks_rank(optimizer->ranks);
    return shares && group->rule->cost && (group->first < shares[rank] || group->first >= shares[rank + 1]);
}

void optimizer_share_collect(const Optimizer *optimizer)
{
    Ranks *ranks = optimizer->ranks;
    const size_t *shares = optimizer->shares;
    if (shares && shares[ranks_count(ranks)] > shares[0])
        ranks_wait(ranks, ranks->transport->collect(ranks->state, network_parameters(optimizer->network)->values, shares, sizeof(float)));
}
