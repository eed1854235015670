/* candidate.h - random formulas for a search: made of nothing, or of another one by a small change.
 *
 * A formula is a tree of the numbers x and a few constants, functions of one number, and operations of two, as in the search that found
 * swish (Ramachandran, Zoph and Le, 2017, arXiv:1710.05941), but of any form up to CANDIDATE_NODES nodes. */

#ifndef CONVZOO_CANDIDATE_H
#define CONVZOO_CANDIDATE_H

#include <stddef.h>

#include "activations.h"
#include "random.h"

enum { CANDIDATE_NODES = 15, CANDIDATE_TEXT = 256 };

/* Nodes in prefix order. */
typedef struct Candidate {
    unsigned char nodes[CANDIDATE_NODES];
    int           count;
} Candidate;

/* A tree of at most `most` nodes that reads x. */
Candidate candidate_random(Random *random, int most);

/* One subtree replaced by a new one, wrapped into a function, or taken for the whole; what becomes too long or does not read x is drawn
 * again. */
Candidate candidate_mutate(Random *random, const Candidate *from);

/* In the language of expression.h; returns text. */
const char *candidate_text(const Candidate *candidate, char text[CANDIDATE_TEXT]);

#endif
