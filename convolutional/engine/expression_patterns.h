/* expression_patterns.h - which step computes a node of a formula: often several nodes are one step. */

#ifndef CONVZOO_EXPRESSION_PATTERNS_H
#define CONVZOO_EXPRESSION_PATTERNS_H

#include "expression_code.h"
#include "expression_tree.h"

typedef struct Plan {
    StepOperation operation;
    int           operands[4];    /* nodes, -1 where there is none */
} Plan;

/* uses: how many nodes, or formulas, read each node. Not for numbers and variables. */
Plan pattern_match(const Builder *tree, const int uses[], int node);

/* The step that computes what both steps compute of one operand; STEP_COUNT if there is none. */
StepOperation pattern_pair(StepOperation first, StepOperation second);

/* The variables, a bit each, of which a NaN may not reach the value: a condition took another branch. */
unsigned pattern_loses_nan(const Expression *formula);

#endif
