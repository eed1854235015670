/* expression_patterns.c - see expression_patterns.h. */

#include "expression_patterns.h"

#include <stdlib.h>

/* Operators and steps that do the same stand in the same order. */
_Static_assert((int)OPERATOR_cosh - (int)OPERATOR_choose == (int)STEP_cosh - (int)STEP_choose, "a step is missing for an operator");

static bool is(const Builder *tree, int place, Operator operator)
{
    return tree->nodes[place].operator == operator;
}

static bool is_number(const Builder *tree, int place, double number)
{
    return is(tree, place, OPERATOR_number) && tree->nodes[place].number == number;
}

static int operand(const Builder *tree, int place, int which)
{
    return tree->nodes[place].operands[which];
}

static Plan plan(StepOperation operation, int a, int b, int c, int d)
{
    return (Plan){ operation, { a, b, c, d } };
}

/* ---- products ---- */

static bool is_tanh_softplus(const Builder *tree, int place)
{
    return is(tree, place, OPERATOR_tanh) && is(tree, operand(tree, place, 0), OPERATOR_softplus);
}

static bool is_slope_at_softplus(const Builder *tree, int place)
{
    return is(tree, place, OPERATOR_tanh_slope) && is(tree, operand(tree, place, 0), OPERATOR_softplus);
}

/* u f(u) in one step, where nothing else needs f(u). */
static StepOperation gated(const Builder *tree, const int uses[], int u, int f)
{
    if (uses[f] > 1)
        return STEP_COUNT;
    if (is(tree, f, OPERATOR_sigmoid) && operand(tree, f, 0) == u)
        return STEP_silu;
    if (is(tree, f, OPERATOR_phi) && operand(tree, f, 0) == u)
        return STEP_gelu;
    if (is_tanh_softplus(tree, f) && operand(tree, operand(tree, f, 0), 0) == u)
        return STEP_mish;
    return STEP_COUNT;
}

/* Products that are one step; STEP_COUNT: of another kind. */
static Plan match_product(const Builder *tree, const int uses[], int place)
{
    const int left = operand(tree, place, 0), right = operand(tree, place, 1);
    for (int turn = 0; turn < 2; turn++) {
        const int a = turn ? right : left, b = turn ? left : right;
        const int u = operand(tree, b, 0);
        if (is_slope_at_softplus(tree, a) && is(tree, b, OPERATOR_sigmoid) && operand(tree, operand(tree, a, 0), 0) == u)
            return plan(STEP_tanh_softplus_slope, u, -1, -1, -1);
        const StepOperation gate = gated(tree, uses, a, b);
        if (gate != STEP_COUNT)
            return plan(gate, a, -1, -1, -1);
    }
    return left == right ? plan(STEP_square, left, -1, -1, -1) : plan(STEP_COUNT, -1, -1, -1, -1);
}

/* ---- sums ---- */

/* What is a gate f(u), its slope f'(u), and the step of f(u) + u f'(u). */
static const struct { StepOperation gate, slope, both; } gate_slopes[] = {
    { STEP_sigmoid, STEP_sigmoid_slope, STEP_silu_slope }, { STEP_phi, STEP_normal, STEP_gelu_slope },
    { STEP_tanh_softplus, STEP_tanh_softplus_slope, STEP_mish_slope },
};

/* The step of f(u), f'(u) of the table above; STEP_COUNT: of something else. */
static Plan match_part(const Builder *tree, const int uses[], int place)
{
    if (is_tanh_softplus(tree, place))
        return plan(STEP_tanh_softplus, operand(tree, operand(tree, place, 0), 0), -1, -1, -1);
    const StepOperation step = is(tree, place, OPERATOR_sigmoid) ? STEP_sigmoid
                             : is(tree, place, OPERATOR_sigmoid_slope) ? STEP_sigmoid_slope
                             : is(tree, place, OPERATOR_tanh) ? STEP_tanh
                             : is(tree, place, OPERATOR_tanh_slope) ? STEP_tanh_slope
                             : is(tree, place, OPERATOR_phi) ? STEP_phi
                             : is(tree, place, OPERATOR_normal) ? STEP_normal : STEP_COUNT;
    if (step != STEP_COUNT)
        return plan(step, operand(tree, place, 0), -1, -1, -1);
    return is(tree, place, OPERATOR_multiply) ? match_product(tree, uses, place)
                                              : plan(STEP_COUNT, -1, -1, -1, -1);
}

/* f(u) + u f'(u) in one step, where nothing else needs its parts: the slope of u f(u). */
static Plan match_gate_slope(const Builder *tree, const int uses[], int gate, int product)
{
    const Plan none = plan(STEP_COUNT, -1, -1, -1, -1), f = match_part(tree, uses, gate);
    if (f.operation == STEP_COUNT || !is(tree, product, OPERATOR_multiply) || uses[gate] > 1 || uses[product] > 1)
        return none;
    const int u = f.operands[0], left = operand(tree, product, 0), right = operand(tree, product, 1);
    const int slope = left == u ? right : left;
    const Plan df = match_part(tree, uses, slope);
    if ((left != u && right != u) || uses[slope] > 1)
        return none;
    for (size_t i = 0; i < sizeof gate_slopes / sizeof *gate_slopes; i++)
        if (f.operation == gate_slopes[i].gate && df.operation == gate_slopes[i].slope && df.operands[0] == u)
            return plan(gate_slopes[i].both, u, -1, -1, -1);
    return none;
}

/* Whether a sum may take the product over. */
static bool is_product(const Builder *tree, const int uses[], int place)
{
    return is(tree, place, OPERATOR_multiply) && uses[place] == 1 &&
           match_product(tree, uses, place).operation == STEP_COUNT;
}

static Plan match_sum(const Builder *tree, const int uses[], Operator operator, int left, int right)
{
    const bool adds = operator == OPERATOR_add;
    for (int turn = 0; adds && turn < 2; turn++) {
        const Plan gate = match_gate_slope(tree, uses, turn ? right : left, turn ? left : right);
        if (gate.operation != STEP_COUNT)
            return gate;
    }
    if (is_product(tree, uses, left))
        return plan(adds ? STEP_multiply_add : STEP_multiply_subtract, operand(tree, left, 0), operand(tree, left, 1), right, -1);
    if (is_product(tree, uses, right))
        return plan(adds ? STEP_multiply_add : STEP_subtract_product, operand(tree, right, 0), operand(tree, right, 1), left, -1);
    return plan(adds ? STEP_add : STEP_subtract, left, right, -1, -1);
}

/* A product with what is one step too, and has room for one operand more. */
static Plan match_times(const Builder *tree, const int uses[], int factor, int other)
{
    static const struct { StepOperation alone, times; int operands; } rows[] = {
        { STEP_multiply_add, STEP_multiply_add_times, 3 }, { STEP_silu_slope, STEP_silu_slope_times, 1 },
        { STEP_gelu_slope, STEP_gelu_slope_times, 1 },     { STEP_mish_slope, STEP_mish_slope_times, 1 },
        { STEP_sigmoid, STEP_sigmoid_times, 1 },           { STEP_sigmoid_slope, STEP_sigmoid_slope_times, 1 },
        { STEP_tanh_slope, STEP_tanh_slope_times, 1 },     { STEP_phi, STEP_phi_times, 1 },
    };
    Plan result = plan(STEP_COUNT, -1, -1, -1, -1);
    if (uses[other] > 1)
        return result;
    const bool sum = is(tree, other, OPERATOR_add);
    const Plan inner = sum ? match_sum(tree, uses, OPERATOR_add, operand(tree, other, 0), operand(tree, other, 1))
                           : match_part(tree, uses, other);
    if (!sum && inner.operation != STEP_COUNT && uses[inner.operands[0]] > 1)
        return result;      /* a step for two may do better */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (inner.operation == rows[i].alone) {
            result = inner;
            result.operation = rows[i].times;
            result.operands[rows[i].operands] = factor;
        }
    return result;
}

static Plan match_multiply(const Builder *tree, const int uses[], int place)
{
    const int left = operand(tree, place, 0), right = operand(tree, place, 1);
    Plan result = match_product(tree, uses, place);
    if (result.operation == STEP_COUNT)
        result = match_times(tree, uses, left, right);
    if (result.operation == STEP_COUNT)
        result = match_times(tree, uses, right, left);
    return result.operation == STEP_COUNT ? plan(STEP_multiply, left, right, -1, -1) : result;
}

/* ---- conditions ---- */

static Plan match_choose(const Builder *tree, int condition, int then, int other)
{
    static const struct { Operator operator; StepOperation step; bool turned; } rows[] = {
        { OPERATOR_less, STEP_choose_less, false },       { OPERATOR_less_equal, STEP_choose_less_equal, false },
        { OPERATOR_greater, STEP_choose_less, true },     { OPERATOR_greater_equal, STEP_choose_less_equal, true },
        { OPERATOR_equal, STEP_choose_equal, false },     { OPERATOR_not_equal, STEP_choose_not_equal, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is(tree, condition, rows[i].operator))
            return plan(rows[i].step, operand(tree, condition, rows[i].turned), operand(tree, condition, !rows[i].turned),
                        then, other);
    return plan(STEP_choose, condition, then, other, -1);
}

Plan pattern_match(const Builder *tree, const int uses[], int node)
{
    const Node *n = &tree->nodes[node];
    const int a = n->operands[0], b = n->operands[1];
    switch ((int)n->operator) {
    case OPERATOR_multiply: return match_multiply(tree, uses, node);
    case OPERATOR_add:
    case OPERATOR_subtract: return match_sum(tree, uses, n->operator, a, b);
    case OPERATOR_choose:   return match_choose(tree, a, b, n->operands[2]);
    case OPERATOR_tanh:
        if (is_tanh_softplus(tree, node))
            return plan(STEP_tanh_softplus, operand(tree, a, 0), -1, -1, -1);
        break;
    case OPERATOR_divide:
        if (is_number(tree, a, 1))
            return plan(STEP_inverse, b, -1, -1, -1);
        break;
    case OPERATOR_power:
        if (is_number(tree, b, 2) || is_number(tree, b, 3) || is_number(tree, b, -1))
            return plan(is_number(tree, b, 2) ? STEP_square : is_number(tree, b, 3) ? STEP_cube : STEP_inverse, a, -1, -1, -1);
        break;
    default: break;
    }
    return plan((StepOperation)((int)n->operator - (int)OPERATOR_choose + (int)STEP_choose), a, b, n->operands[2], -1);
}

StepOperation pattern_pair(StepOperation first, StepOperation second)
{
    static const StepOperation pairs[][3] = {
        { STEP_sigmoid, STEP_sigmoid_slope, STEP_sigmoid_both }, { STEP_tanh, STEP_tanh_slope, STEP_tanh_both },
        { STEP_tanh_softplus, STEP_tanh_softplus_slope, STEP_tanh_softplus_both },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (first == pairs[i][0] && second == pairs[i][1])
            return pairs[i][2];
    return STEP_COUNT;
}

/* ---- what a NaN does ---- */

/* Variables that make a choice NaN for certain: those of the branch that is taken when the condition compares a NaN, and those of
 * both branches. */
static unsigned choice_carries(const Expression *e, const Node *choice, const unsigned carried[])
{
    const Node *condition = &e->nodes[choice->operands[0]];
    const unsigned then = carried[choice->operands[1]], other = carried[choice->operands[2]];
    if (operator_info(condition->operator)->precedence != PRECEDENCE_comparison)
        return then & other;
    const unsigned compared = carried[condition->operands[0]] | carried[condition->operands[1]];
    return (then & other) | (compared & (condition->operator == OPERATOR_not_equal ? then : other));
}

static bool is_other_than_0(const Node *node)
{
    return node->operator == OPERATOR_number && node->number != 0;
}

static unsigned node_carries(const Expression *e, const Node *node, const unsigned carried[])
{
    unsigned all = 0;
    for (int i = 0; i < operator_info(node->operator)->operands; i++)
        all |= carried[node->operands[i]];
    switch ((int)node->operator) {
    case OPERATOR_x:         return 1u << EXPRESSION_x;
    case OPERATOR_g:         return 1u << EXPRESSION_g;
    case OPERATOR_parameter: return 1u << (EXPRESSION_parameter + node->operands[0]);
    case OPERATOR_choose:    return choice_carries(e, node, carried);
    case OPERATOR_not:
    case OPERATOR_and:
    case OPERATOR_or:        return 0;
    case OPERATOR_power:     return is_other_than_0(&e->nodes[node->operands[1]]) ? all : 0;
    default:                 return operator_info(node->operator)->precedence == PRECEDENCE_comparison ? 0 : all;
    }
}

unsigned pattern_loses_nan(const Expression *formula)
{
    unsigned *const carried = allocate((size_t)formula->count, sizeof *carried, "a formula's code");
    unsigned lost = 0;
    for (int i = 0; i < formula->count; i++)
        carried[i] = node_carries(formula, &formula->nodes[i], carried);
    for (int variable = 0; variable < EXPRESSION_VARIABLES; variable++)
        if (expression_reads(formula, variable) && !(carried[formula->count - 1] >> variable & 1))
            lost |= 1u << variable;
    free(carried);
    return lost;
}
