/* expression_code.h - formulas as steps over strips of floats that stay in the first cache.
 *
 * One code computes one or several formulas of the same inputs; what they share is computed once. Made once, before training;
 * kernel_expression (kernels.h) runs it and takes no memory. */

#ifndef CONVZOO_EXPRESSION_CODE_H
#define CONVZOO_EXPRESSION_CODE_H

#include <stdint.h>

#include "expression.h"

typedef enum {
#define X(key, ...) STEP_##key,
#include "expression_operations.def"
#undef X
    STEP_COUNT
} StepOperation;

/* dy, the gradient that comes in, is an input after the variables. */
enum { EXPRESSION_dy = EXPRESSION_VARIABLES, EXPRESSION_INPUTS, EXPRESSION_OUTPUTS = EXPRESSION_VARIABLES };

/* Strips are numbered: the registers, the constants, the inputs in the order of EXPRESSION_x ... EXPRESSION_dy, the outputs. */
typedef struct ExpressionStep {
    uint16_t operation;
    uint16_t from[4];
    uint16_t to[2];
} ExpressionStep;

typedef struct ExpressionCode {
    int             count;
    ExpressionStep *steps;
    int             registers, constants, outputs;
    float          *numbers;                        /* the constants */
    bool            reads[EXPRESSION_INPUTS];
    int             strip;                          /* floats a strip */
} ExpressionCode;

/* Floats that registers, constants and parameters take in all, on the stack of each thread. */
enum { EXPRESSION_BUFFER = 16384 };

/* What the code reads. Each input that it reads has `count` floats; a parameter has one, if each[] does not say otherwise. */
typedef struct ExpressionStrips {
    const float *inputs[EXPRESSION_INPUTS];
    bool         each[EXPRESSION_PARAMETERS];
} ExpressionStrips;

/* The code that computes these formulas, at most EXPRESSION_OUTPUTS, each times dy where `times_dy`. NULL after an error: of a formula
 * that needs too many values at once, or has a number that float does not hold. Of NaN a formula is NaN; where it is multiplied by dy, it may be anything.
 * Release with expression_code_free. */
ExpressionCode *expression_compile(const Expression *const formulas[], int count, bool times_dy, Error *error);
void            expression_code_free(ExpressionCode *code);

/* Its steps as text, one a line, for tests and the curious; to be freed. */
char *expression_code_text(const ExpressionCode *code);

#endif
