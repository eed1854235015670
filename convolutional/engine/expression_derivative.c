/* expression_derivative.c - the chain rule, from the operands to what uses them; see expression.h.
 *
 * What does not depend on the variable has no derivative at all (NONE), rather than one that is multiplied by 0: so that
 * an infinite factor beside it makes no NaN. */

#include "expression_tree.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = -1, LEVELS = 4 };

static int sum(Builder *builder, int a, int b)
{
    return a == NONE ? b : b == NONE ? a : builder_add(builder, OPERATOR_add, a, b, -1);
}

static int choice(Builder *builder, int condition, int a, int b)
{
    if (a == NONE && b == NONE)
        return NONE;
    const int zero = builder_number(builder, 0);
    return builder_add(builder, OPERATOR_choose, condition, a == NONE ? zero : a, b == NONE ? zero : b);
}

static bool is_zero(const Builder *builder, int place)
{
    return builder->nodes[place].operator == OPERATOR_number && builder->nodes[place].number == 0;
}

/* Whether it is condition ? a : b, and a or b is 0. */
static bool is_gate(const Builder *builder, int place)
{
    const Node *node = &builder->nodes[place];
    return node->operator == OPERATOR_choose && (is_zero(builder, node->operands[1]) || is_zero(builder, node->operands[2]));
}

/* (c ? d : 0) b is written as c ? d b : 0, so that what is not chosen may be infinite. */
static int product(Builder *builder, int a, int b, int levels)
{
    if (a == NONE || is_zero(builder, a) || is_zero(builder, b))
        return NONE;
    if (builder->nodes[b].operator == OPERATOR_number)      /* in front, where numbers meet */
        return builder_add(builder, OPERATOR_multiply, b, a, -1);
    const bool left = is_gate(builder, a);
    if (levels == 0 || (!left && !is_gate(builder, b)))
        return builder_add(builder, OPERATOR_multiply, a, b, -1);
    const Node gate = builder->nodes[left ? a : b];
    const int factor = left ? b : a;
    int branches[2];
    for (int i = 0; i < 2; i++)
        branches[i] = left ? product(builder, gate.operands[1 + i], factor, levels - 1)
                           : product(builder, factor, gate.operands[1 + i], levels - 1);
    return choice(builder, gate.operands[0], branches[0], branches[1]);
}

/* The derivative of a node: operands are places in the builder, slopes their derivatives. */
static int derivative_of(Builder *builder, Operator operator, const int operands[3], const int slopes[3])
{
    if (operator == OPERATOR_choose)
        return choice(builder, operands[0], slopes[1], slopes[2]);
    int result = NONE;
    for (int i = 0; i < operator_info(operator)->operands; i++)
        if (slopes[i] != NONE) {
            const int outer = builder_formula(builder, operator_info(operator)->derivatives[i], operands);
            result = sum(builder, result, product(builder, outer, slopes[i], LEVELS));
        }
    return result;
}

static bool is_variable(const Node *node, int variable)
{
    return variable == EXPRESSION_x ? node->operator == OPERATOR_x
         : variable == EXPRESSION_g ? node->operator == OPERATOR_g
         : node->operator == OPERATOR_parameter && node->operands[0] == variable - EXPRESSION_parameter;
}

Expression *expression_derivative(const Expression *expression, int variable)
{
    const size_t count = (size_t)expression->count;
    int *const places = allocate(count, sizeof *places, "a derivative");
    int *const slopes = allocate(count, sizeof *slopes, "a derivative");
    Builder builder;
    builder_open(&builder);
    builder_copy(&builder, expression, places);
    for (size_t i = 0; i < count; i++) {
        const Node *node = &expression->nodes[i];
        const int operand_count = operator_info(node->operator)->operands;
        int operands[3] = { -1, -1, -1 }, inner[3] = { NONE, NONE, NONE };
        for (int k = 0; k < operand_count; k++) {
            operands[k] = places[node->operands[k]];
            inner[k] = slopes[node->operands[k]];
        }
        slopes[i] = operand_count ? derivative_of(&builder, node->operator, operands, inner)
                  : is_variable(node, variable) ? builder_number(&builder, 1) : NONE;
    }
    const int root = slopes[count - 1] == NONE ? builder_number(&builder, 0) : slopes[count - 1];
    Expression *derivative = builder_finish(&builder, root);
    derivative->parameters = expression->parameters;
    memcpy(derivative->names, expression->names, sizeof derivative->names);
    memcpy(derivative->defaults, expression->defaults, sizeof derivative->defaults);
    builder_close(&builder);
    free(places);
    free(slopes);
    return derivative;
}
