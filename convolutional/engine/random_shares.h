/* random_shares.h - random numbers that share a whole between them. */

#ifndef CONVZOO_RANDOM_SHARES_H
#define CONVZOO_RANDOM_SHARES_H

#include "random.h"

/* Beta(alpha, alpha), alpha > 0: 0 .. 1, about a half; near both ends where alpha is small. */
float random_beta(Random *random, float alpha);

/* Dirichlet(alpha, ...): `count` shares that add up to 1. */
void random_dirichlet(Random *random, float alpha, int count, float *shares);

#endif
