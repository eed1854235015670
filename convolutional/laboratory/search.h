/* search.h - a search for activation functions: formulas that change at random, trained, halved, and the best compared with silu and gelu.
 *
 *   generation   formulas are drawn anew or made from the best so far by a small change (candidate.h); all are trained with one seed, the
 *                better half with a second, the better half of these with two more (successive halving: Jamieson and Talwalkar, 2016,
 *                arXiv:1502.07943)
 *   finals       the best three, silu and gelu are trained on other networks with fresh seeds, in pairs; a finalist is called better only
 *                where a paired test says so after Holm's correction (significance.h)
 *
 * It may well find that none is better. Which formulas are tried is a function of the seed; how many, of the time. */

#ifndef CONVZOO_SEARCH_H
#define CONVZOO_SEARCH_H

#include "chart.h"
#include "score.h"
#include "table.h"

typedef struct SearchOptions {
    ScoreOptions score;                /* the network that is searched on */
    const char  *others;               /* networks of the finals beside it, comma-separated */
    double       seconds;              /* for everything; the generations take 60% of it, the finals end with the seed that is under way, but not before two */
    int          generations;          /* at most; 0: as many as there is time for */
    int          seeds;                /* of the finals at most; at least 2 */
    uint64_t     seed;
    void       (*note)(void *context, const char *text);      /* told how far it is; NULL: nobody */
} SearchOptions;

/* All owned by the caller. */
typedef struct SearchResult {
    Table *finals;                     /* a row a network and finalist */
    Chart *chart;                      /* what was tried, in order */
    bool   found;                      /* a finalist that is better than silu and gelu on every network */
    int    tried;                      /* formulas */
} SearchResult;

bool search_run(const SearchOptions *options, SearchResult *result, Error *error);

#endif
