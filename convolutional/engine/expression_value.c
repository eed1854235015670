/* expression_value.c - formulas in double precision, and what is known of one; see expression.h. */

#include "expression_tree.h"

#include "real.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 1024 };      /* nodes whose values stand on the stack */

const OperatorInfo *operator_info(Operator operator)
{
    static const OperatorInfo rows[OPERATOR_COUNT] = {
#define X(key, spelling, operands, precedence, value, by_a, by_b) [OPERATOR_##key] = { spelling, operands, precedence, { by_a, by_b } },
#include "expression_operators.def"
#undef X
#define X(key, operands, value, by_a, by_b) [OPERATOR_##key] = { #key, operands, PRECEDENCE_function, { by_a, by_b } },
#include "expression_functions.def"
#undef X
    };
    return &rows[operator];
}

double operator_value(Operator operator, double a, double b, double c)
{
    switch (operator) {
#define X(key, spelling, operands, precedence, value, ...) case OPERATOR_##key: return value;
#include "expression_operators.def"
#undef X
#define X(key, operands, value, ...) case OPERATOR_##key: return value;
#include "expression_functions.def"
#undef X
    case OPERATOR_COUNT: break;
    }
    CHECK(false, "operator %d", (int)operator);
}

void expression_free(Expression *expression)
{
    if (expression)
        free(expression->nodes);
    free(expression);
}

int expression_parameter_count(const Expression *expression)
{
    return expression->parameters;
}

const char *expression_parameter_name(const Expression *expression, int parameter)
{
    return expression->names[parameter];
}

double expression_parameter_default(const Expression *expression, int parameter)
{
    return expression->defaults[parameter];
}

size_t expression_nodes(const Expression *expression)
{
    return (size_t)expression->count;
}

const char *expression_source(const Expression *expression)
{
    return expression->source;
}

static int node_variable(const Node *node)
{
    switch ((int)node->operator) {
    case OPERATOR_x:         return EXPRESSION_x;
    case OPERATOR_g:         return EXPRESSION_g;
    case OPERATOR_parameter: return EXPRESSION_parameter + node->operands[0];
    default:                 return -1;
    }
}

bool expression_reads(const Expression *expression, int variable)
{
    for (int i = 0; i < expression->count; i++)
        if (node_variable(&expression->nodes[i]) == variable)
            return true;
    return false;
}

bool expression_equal(const Expression *a, const Expression *b)
{
    if (a->count != b->count || a->parameters != b->parameters || memcmp(a->defaults, b->defaults, sizeof a->defaults))
        return false;
    for (int i = 0; i < a->parameters; i++)
        if (strcmp(a->names[i], b->names[i]))
            return false;
    for (int i = 0; i < a->count; i++) {
        const Node *p = &a->nodes[i], *q = &b->nodes[i];
        if (p->operator != q->operator || memcmp(p->operands, q->operands, sizeof p->operands) || p->number != q->number)
            return false;
    }
    return true;
}

void expression_values(const Expression *expression, double x, double g, const double parameters[], double values[])
{
    if (!parameters)
        parameters = expression->defaults;
    for (int i = 0; i < expression->count; i++) {
        const Node *node = &expression->nodes[i];
        double operands[3] = {0};
        for (int k = 0; k < operator_info(node->operator)->operands; k++)
            operands[k] = values[node->operands[k]];
        switch ((int)node->operator) {
        case OPERATOR_number:    values[i] = node->number; break;
        case OPERATOR_x:         values[i] = x; break;
        case OPERATOR_g:         values[i] = g; break;
        case OPERATOR_parameter: values[i] = parameters[node->operands[0]]; break;
        default:                 values[i] = operator_value(node->operator, operands[0], operands[1], operands[2]);
        }
    }
}

double expression_value(const Expression *expression, double x, double g, const double parameters[])
{
    double few[FEW];
    double *values = expression->count <= FEW ? few : allocate((size_t)expression->count, sizeof *values, "a formula");
    expression_values(expression, x, g, parameters, values);
    bool unknown = false;
    for (int i = 0; i < expression->count; i++)
        unknown |= node_variable(&expression->nodes[i]) >= 0 && isnan(values[i]);
    const double value = unknown ? NAN : values[expression->count - 1];
    if (values != few)
        free(values);
    return value;
}
