/* expression_strips.h - formulas inside other kernels: include isa.h first. */

#ifndef CONVZOO_EXPRESSION_STRIPS_H
#define CONVZOO_EXPRESSION_STRIPS_H

#include "expression_code.h"

enum { EXPRESSION_STRIP = 256 };

/* outputs[k][i]: formula k where its inputs (EXPRESSION_x, _g, _parameter + n) are inputs[...][i]; what it does not read may be NULL. Where
 * the parameters are one number each, kernel_expression_run over all of a tensor's part is quicker: constants are laid out once. */
static inline void expression_strip(const ExpressionCode *code, size_t length, const float *const inputs[], float *const outputs[])
{
    ExpressionStrips in = { .each = { true, true, true, true } };
    for (int i = 0; i < EXPRESSION_VARIABLES; i++)
        in.inputs[i] = inputs[i];
    KERNEL(kernel_expression_run)(code, length, &in, outputs);
}

#endif
