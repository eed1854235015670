/* formulas.h - formulas to test with: those of known activations, and random ones. */

#ifndef CONVZOO_TEST_FORMULAS_H
#define CONVZOO_TEST_FORMULAS_H

#include <stdbool.h>
#include <stddef.h>

#include "random.h"

/* What people type, NULL at the end. */
extern const char *const formulas_known[];

/* A random formula with every operator and function, of x; where `more`, of g, a and b as well, which the caller declares. It always parses.
 * size: EXPRESSION_LENGTH + 1. */
void formula_random(Random *random, bool more, char *text, size_t size);

#endif
