/* expression_builder.c - nodes, each kept once, and simplified; see expression_tree.h. */

#include "expression_tree.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_AT_FIRST = 64 };

void builder_open(Builder *builder)
{
    *builder = (Builder){ .room = ROOM_AT_FIRST, .slots = 2 * ROOM_AT_FIRST };
    builder->nodes = allocate((size_t)builder->room, sizeof *builder->nodes, "a formula");
    builder->table = allocate((size_t)builder->slots, sizeof *builder->table, "a formula");
}

void builder_close(Builder *builder)
{
    free(builder->nodes);
    free(builder->table);
}

/* ---- each node once ---- */

static uint64_t node_bits(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static bool node_equal(const Node *a, const Node *b)
{
    return a->operator == b->operator && !memcmp(a->operands, b->operands, sizeof a->operands) &&
           node_bits(a->number) == node_bits(b->number);
}

/* Where the table has the node, or the empty slot where it belongs. */
static int *builder_slot(const Builder *builder, const Node *node)
{
    uint64_t hash = (uint64_t)node->operator ^ node_bits(node->number);
    for (int i = 0; i < 3; i++)
        hash = (hash ^ (uint64_t)(unsigned)node->operands[i]) * 0x9E3779B97F4A7C15u, hash ^= hash >> 29;
    for (uint64_t slot = hash;; slot++) {
        int *const entry = &builder->table[slot & (uint64_t)(builder->slots - 1)];
        if (!*entry || node_equal(&builder->nodes[*entry - 1], node))
            return entry;
    }
}

static void builder_grow(Builder *builder)
{
    Builder larger = { .count = builder->count, .room = 2 * builder->room, .slots = 2 * builder->slots };
    larger.nodes = allocate((size_t)larger.room, sizeof *larger.nodes, "a formula");
    larger.table = allocate((size_t)larger.slots, sizeof *larger.table, "a formula");
    memcpy(larger.nodes, builder->nodes, (size_t)builder->count * sizeof *larger.nodes);
    for (int place = 0; place < larger.count; place++)
        *builder_slot(&larger, &larger.nodes[place]) = place + 1;
    builder_close(builder);
    *builder = larger;
}

static int builder_keep(Builder *builder, Node node)
{
    int *entry = builder_slot(builder, &node);
    if (*entry)
        return *entry - 1;
    if (node.operator == OPERATOR_add || node.operator == OPERATOR_multiply) {
        Node turned = node;
        turned.operands[0] = node.operands[1];
        turned.operands[1] = node.operands[0];
        const int *other = builder_slot(builder, &turned);
        if (*other)
            return *other - 1;
    }
    if (builder->count == builder->room) {
        builder_grow(builder);
        entry = builder_slot(builder, &node);
    }
    builder->nodes[builder->count] = node;
    *entry = ++builder->count;
    return builder->count - 1;
}

int builder_number(Builder *builder, double number)
{
    return builder_keep(builder, (Node){ .operator = OPERATOR_number, .operands = { -1, -1, -1 }, .number = number });
}

int builder_variable(Builder *builder, int variable)
{
    const Operator operator = variable == EXPRESSION_x ? OPERATOR_x : variable == EXPRESSION_g ? OPERATOR_g : OPERATOR_parameter;
    const int number = operator == OPERATOR_parameter ? variable - EXPRESSION_parameter : -1;
    return builder_keep(builder, (Node){ .operator = operator, .operands = { number, -1, -1 } });
}

/* ---- simplification ---- */

static bool is_operator(const Builder *builder, int place, Operator operator)
{
    return place >= 0 && builder->nodes[place].operator == operator;
}

static bool is_number(const Builder *builder, int place, double number)
{
    return is_operator(builder, place, OPERATOR_number) && builder->nodes[place].number == number;
}

static bool is_negative(const Builder *builder, int place)
{
    return is_operator(builder, place, OPERATOR_number) && builder->nodes[place].number < 0;
}

static int operand(const Builder *builder, int place, int which)
{
    return builder->nodes[place].operands[which];
}

/* The value where all operands are numbers and it is one; else -1. */
static int fold(Builder *builder, Operator operator, const int operands[3])
{
    double values[3] = {0};
    for (int i = 0; i < operator_info(operator)->operands; i++) {
        if (!is_operator(builder, operands[i], OPERATOR_number))
            return -1;
        values[i] = builder->nodes[operands[i]].number;
    }
    const double value = operator_value(operator, values[0], values[1], values[2]);
    return isfinite(value) ? builder_number(builder, value) : -1;
}

/* number * (number * a) and number * (a * number) with one number, where it is an ordinary one; else -1. */
static int multiply_numbers(Builder *b, int left, int right)
{
    const int number = is_operator(b, left, OPERATOR_number) ? left : right, product = number == left ? right : left;
    if (!is_operator(b, number, OPERATOR_number) || !is_operator(b, product, OPERATOR_multiply))
        return -1;
    const int p = operand(b, product, 0), q = operand(b, product, 1), inner = is_operator(b, p, OPERATOR_number) ? p : q;
    if (!is_operator(b, inner, OPERATOR_number))
        return -1;
    const double value = b->nodes[number].number * b->nodes[inner].number;
    return isnormal(value) ? builder_add(b, OPERATOR_multiply, builder_number(b, value), inner == p ? q : p, -1) : -1;
}

static int simplify_multiply(Builder *b, int left, int right)
{
    if (is_number(b, left, 1))
        return right;
    if (is_number(b, right, 1))
        return left;
    if (is_number(b, left, -1))
        return builder_add(b, OPERATOR_negate, right, -1, -1);
    if (is_number(b, right, -1))
        return builder_add(b, OPERATOR_negate, left, -1, -1);
    if (is_operator(b, left, OPERATOR_negate))
        return builder_add(b, OPERATOR_negate, builder_add(b, OPERATOR_multiply, operand(b, left, 0), right, -1), -1, -1);
    if (is_operator(b, right, OPERATOR_negate))
        return builder_add(b, OPERATOR_negate, builder_add(b, OPERATOR_multiply, left, operand(b, right, 0), -1), -1, -1);
    return multiply_numbers(b, left, right);
}

static int simplify_divide(Builder *b, int left, int right)
{
    if (is_number(b, right, 1))
        return left;
    if (is_operator(b, left, OPERATOR_negate))
        return builder_add(b, OPERATOR_negate, builder_add(b, OPERATOR_divide, operand(b, left, 0), right, -1), -1, -1);
    return -1;
}

static int simplify_add(Builder *b, int left, int right)
{
    if (is_number(b, left, 0))
        return right;
    if (is_number(b, right, 0))
        return left;
    if (is_operator(b, right, OPERATOR_negate))
        return builder_add(b, OPERATOR_subtract, left, operand(b, right, 0), -1);
    if (is_operator(b, left, OPERATOR_negate))
        return builder_add(b, OPERATOR_subtract, right, operand(b, left, 0), -1);
    if (is_negative(b, right))
        return builder_add(b, OPERATOR_subtract, left, builder_number(b, -b->nodes[right].number), -1);
    return -1;
}

static int simplify_subtract(Builder *b, int left, int right)
{
    if (is_number(b, right, 0))
        return left;
    if (is_number(b, left, 0))
        return builder_add(b, OPERATOR_negate, right, -1, -1);
    if (is_operator(b, right, OPERATOR_negate))
        return builder_add(b, OPERATOR_add, left, operand(b, right, 0), -1);
    if (is_negative(b, right))
        return builder_add(b, OPERATOR_add, left, builder_number(b, -b->nodes[right].number), -1);
    return -1;
}

static int simplify_negate(Builder *b, int of)
{
    if (is_operator(b, of, OPERATOR_negate))
        return operand(b, of, 0);
    if (is_operator(b, of, OPERATOR_subtract))
        return builder_add(b, OPERATOR_subtract, operand(b, of, 1), operand(b, of, 0), -1);
    if (is_operator(b, of, OPERATOR_multiply) && is_operator(b, operand(b, of, 0), OPERATOR_number))
        return builder_add(b, OPERATOR_multiply, builder_number(b, -b->nodes[operand(b, of, 0)].number), operand(b, of, 1), -1);
    return -1;
}

static int simplify_choose(const Builder *b, int condition, int then, int other)
{
    if (is_operator(b, condition, OPERATOR_number))
        return b->nodes[condition].number != 0 ? then : other;
    return then == other ? then : -1;
}

/* A node that does as well; -1: none. Rules look at a node and its operands alone. */
static int simplify(Builder *b, Operator operator, const int operands[3])
{
    const int folded = fold(b, operator, operands);
    if (folded >= 0)
        return folded;
    const int left = operands[0], right = operands[1];
    switch ((int)operator) {
    case OPERATOR_multiply: return simplify_multiply(b, left, right);
    case OPERATOR_divide:   return simplify_divide(b, left, right);
    case OPERATOR_add:      return simplify_add(b, left, right);
    case OPERATOR_subtract: return simplify_subtract(b, left, right);
    case OPERATOR_negate:   return simplify_negate(b, left);
    case OPERATOR_choose:   return simplify_choose(b, left, right, operands[2]);
    case OPERATOR_power:    return is_number(b, right, 1) ? left : -1;
    default:                return -1;
    }
}

int builder_add(Builder *builder, Operator operator, int a, int b, int c)
{
    const Node node = { .operator = operator, .operands = { a, b, c } };
    const int simple = simplify(builder, operator, node.operands);
    return simple >= 0 ? simple : builder_keep(builder, node);
}

/* ---- whole expressions ---- */

int builder_copy(Builder *builder, const Expression *expression, int places[])
{
    for (int i = 0; i < expression->count; i++) {
        const Node *node = &expression->nodes[i];
        int operands[3] = { -1, -1, -1 };
        for (int k = 0; k < operator_info(node->operator)->operands; k++)
            operands[k] = places[node->operands[k]];
        switch ((int)node->operator) {
        case OPERATOR_number:    places[i] = builder_number(builder, node->number); break;
        case OPERATOR_x:         places[i] = builder_variable(builder, EXPRESSION_x); break;
        case OPERATOR_g:         places[i] = builder_variable(builder, EXPRESSION_g); break;
        case OPERATOR_parameter: places[i] = builder_variable(builder, EXPRESSION_parameter + node->operands[0]); break;
        default:                 places[i] = builder_add(builder, node->operator, operands[0], operands[1], operands[2]);
        }
    }
    return places[expression->count - 1];
}

/* In the order of first use, left to right, so that equal formulas have equal nodes. */
Expression *builder_finish(const Builder *builder, int root)
{
    Expression *expression = allocate(1, sizeof *expression, "a formula");
    expression->nodes = allocate((size_t)builder->count, sizeof *expression->nodes, "a formula");
    int *const places = allocate((size_t)builder->count, sizeof *places, "a formula");      /* + 1 */
    int *const stack = allocate(3 * (size_t)builder->count + 1, sizeof *stack, "a formula");
    int depth = 0;
    stack[depth++] = root;
    while (depth > 0) {
        const int at = stack[depth - 1];
        const Node *node = &builder->nodes[at];
        const int operands = operator_info(node->operator)->operands, before = depth;
        for (int i = operands; i-- > 0 && !places[at];)
            if (!places[node->operands[i]])
                stack[depth++] = node->operands[i];
        if (depth > before)
            continue;
        depth--;
        if (places[at])
            continue;
        Node *copy = &expression->nodes[expression->count++];
        *copy = *node;
        for (int i = 0; i < operands; i++)
            copy->operands[i] = places[node->operands[i]] - 1;
        places[at] = expression->count;
    }
    free(places);
    free(stack);
    return expression;
}
