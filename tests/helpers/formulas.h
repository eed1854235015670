/* formulas.h - formulas to test with: those of known activations, and random ones. */

#ifndef CONVZOO_TEST_FORMULAS_H
#define CONVZOO_TEST_FORMULAS_H

#include <stdbool.h>
#include <stddef.h>

#include "expression_tree.h"
#include "random.h"

/* What people type, NULL at the end. */
extern const char *const formulas_known[];

/* A random formula with every operator and function, of x; where `more`, of g, a and b as well, which the caller declares. It always parses.
 * size: EXPRESSION_LENGTH + 1. */
void formula_random(Random *random, bool more, char *text, size_t size);

enum { FORMULA_NODES = 1024 };

/* How exact a formula can be depends on the formula: exp(100*x) is wrong by 100 units where x is by one. The scale of its value is the
 * sum over all values v on the way, inputs among them, of |v df/dv|: what a relative error in each of them does. Returns `unit` of that
 * scale, found by moving each value by that much, and by `least` at least; NaN or infinite where an error may decide whether there is a
 * value at all. values: of the nodes, FORMULA_NODES at most. bounded: an error of phi is one of 1. */
double formula_tolerance(const Expression *e, const double values[], double unit, double least, bool bounded);

#endif
