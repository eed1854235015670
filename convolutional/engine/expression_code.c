/* expression_code.c - from formulas to steps; see expression_code.h.
 *
 * Nodes are looked at from the values down to what they need: a pattern of several nodes that one step computes leaves those in the
 * middle out. Then each step gets a register for its result, which is free again after its last use. */

#include "expression_code.h"
#include "expression_patterns.h"

#include "text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_FLOATS = 6144, LONGEST_STRIP = 1024, SHORTEST_STRIP = 16, BRANCHES = 4, NOWHERE = -1 };

/* Kinds of strips while it is not known yet how many there are of each. */
enum { REGISTER = 0, CONSTANT = 0x4000, INPUT = 0x8000, OUTPUT = 0xC000, KIND = 0xC000 };

/* One compilation; the arrays have an entry a node. */
typedef struct Compiler {
    Builder         tree;
    int             roots[EXPRESSION_OUTPUTS];
    Plan           *plans;
    bool           *needed;
    int            *last_use;     /* the last step that reads it */
    int            *strips;       /* where its value stands; NOWHERE: not yet */
    ExpressionCode *code;
    bool           *taken;        /* registers, by number */
} Compiler;

static bool is_leaf(const Compiler *c, int node)
{
    return operator_info(c->tree.nodes[node].operator)->operands == 0;
}

/* ---- formulas into one tree ---- */

/* v != v ? v : value, for the variables of which the operations alone would lose a NaN. */
static int keep_nan(Builder *tree, const Expression *formula, int value)
{
    const unsigned lost = pattern_loses_nan(formula);
    for (int variable = 0; variable < EXPRESSION_VARIABLES; variable++)
        if (lost >> variable & 1) {
            const int v = builder_variable(tree, variable);
            value = builder_add(tree, OPERATOR_choose, builder_add(tree, OPERATOR_not_equal, v, v, -1), v, value);
        }
    return value;
}

/* dy value; the dy of a condition's branches is theirs, where they are often 1 or 0. */
static int times_gradient(Builder *tree, int value, int levels)
{
    const Node node = tree->nodes[value];
    if (node.operator == OPERATOR_number && node.number == 0)
        return value;
    if (node.operator != OPERATOR_choose || levels == 0)
        return builder_add(tree, OPERATOR_multiply, builder_variable(tree, EXPRESSION_dy), value, -1);
    const int then = times_gradient(tree, node.operands[1], 0), other = times_gradient(tree, node.operands[2], levels - 1);
    return builder_add(tree, OPERATOR_choose, node.operands[0], then, other);
}

static void read_formulas(Compiler *c, const Expression *const formulas[], int count, bool times_dy)
{
    for (int i = 0; i < count; i++) {
        int *const places = allocate((size_t)formulas[i]->count, sizeof *places, "a formula's code");
        const int value = builder_copy(&c->tree, formulas[i], places);
        c->roots[i] = times_dy ? times_gradient(&c->tree, value, BRANCHES)
                               : keep_nan(&c->tree, formulas[i], value);
        free(places);
    }
}

/* ---- what is needed ---- */

static void count_uses(const Compiler *c, int uses[])
{
    for (int i = 0; i < c->code->outputs; i++)
        uses[c->roots[i]]++;
    for (int node = c->tree.count; node-- > 0;)      /* what reads a node comes after it */
        for (int k = 0; uses[node] && k < operator_info(c->tree.nodes[node].operator)->operands; k++)
            uses[c->tree.nodes[node].operands[k]]++;
}

static void choose_plans(Compiler *c)
{
    int *const uses = allocate((size_t)c->tree.count, sizeof *uses, "a formula's code");
    count_uses(c, uses);
    for (int i = 0; i < c->code->outputs; i++)
        c->needed[c->roots[i]] = true;
    for (int node = c->tree.count; node-- > 0;) {
        if (!c->needed[node] || is_leaf(c, node))
            continue;
        c->plans[node] = pattern_match(&c->tree, uses, node);
        for (int k = 0; k < 4; k++)
            if (c->plans[node].operands[k] >= 0)
                c->needed[c->plans[node].operands[k]] = true;
    }
    free(uses);
}

/* The node that is computed along with this one, NOWHERE if there is none; both: the step. */
static int partner_of(const Compiler *c, int node, StepOperation *both)
{
    const Plan *own = &c->plans[node];
    for (int other = 0; other < c->tree.count; other++) {
        if (!c->needed[other] || is_leaf(c, other) || c->plans[other].operands[0] != own->operands[0])
            continue;
        *both = pattern_pair(own->operation, c->plans[other].operation);
        if (*both != STEP_COUNT)
            return other;
        *both = pattern_pair(c->plans[other].operation, own->operation);
        if (*both != STEP_COUNT)
            return other;
    }
    return NOWHERE;
}

/* ---- strips ---- */

static int input_of(const Node *node)
{
    return node->operator == OPERATOR_x ? EXPRESSION_x
         : node->operator == OPERATOR_g ? EXPRESSION_g : EXPRESSION_parameter + node->operands[0];
}

/* A constant is kept as float. */
static bool number_fits(double number, Error *error)
{
    const float kept = (float)number;
    return (isfinite(kept) && (kept != 0 || number == 0)) ||
           error_set(error, EXIT_usage, "a number in the formula or its derivative, %g, is too %s for float: use numbers from %g to %g", number, isfinite(kept) ? "small" : "large",
                     (double)FLT_MIN, (double)FLT_MAX);
}

static bool place_leaves(Compiler *c, Error *error)
{
    for (int node = 0; node < c->tree.count; node++) {
        const Node *leaf = &c->tree.nodes[node];
        if (!c->needed[node] || !is_leaf(c, node))
            continue;
        if (leaf->operator == OPERATOR_number) {
            if (!number_fits(leaf->number, error))
                return false;
            c->code->numbers[c->code->constants] = (float)leaf->number;
            c->strips[node] = CONSTANT + c->code->constants++;
        } else {
            c->code->reads[input_of(leaf)] = true;
            c->strips[node] = INPUT + input_of(leaf);
        }
    }
    return true;
}

static int take_register(Compiler *c)
{
    int free_one = 0;
    while (c->taken[free_one])
        free_one++;
    c->taken[free_one] = true;
    if (free_one >= c->code->registers)
        c->code->registers = free_one + 1;
    return REGISTER + free_one;
}

static void free_register(Compiler *c, int strip)
{
    if ((strip & KIND) == REGISTER)
        c->taken[strip] = false;
}

/* An output's own strip if the node is one, and no output has its value yet; else a register. */
static int place_result(Compiler *c, int node)
{
    for (int i = 0; i < c->code->outputs; i++)
        if (c->roots[i] == node)
            return OUTPUT + i;
    return take_register(c);
}

/* ---- steps ---- */

static void add_step(Compiler *c, StepOperation operation, const int operands[4], const int results[2])
{
    ExpressionStep *step = &c->code->steps[c->code->count];
    step->operation = (uint16_t)operation;
    for (int k = 0; k < 4; k++)
        if (operands[k] >= 0) {
            step->from[k] = (uint16_t)c->strips[operands[k]];
            if (c->last_use[operands[k]] == c->code->count)      /* a step may write where it reads */
                free_register(c, c->strips[operands[k]]);
        }
    for (int k = 0; k < 2; k++)
        if (results[k] >= 0) {
            c->strips[results[k]] = place_result(c, results[k]);
            step->to[k] = (uint16_t)c->strips[results[k]];
        }
    c->code->count++;
}

/* The steps' nodes in their order: run twice, first to learn of each node which step is the last to read it. */
static void make_steps(Compiler *c, bool dry)
{
    int position = 0;
    bool *const done = allocate((size_t)c->tree.count, sizeof *done, "a formula's code");
    for (int node = 0; node < c->tree.count; node++) {
        if (!c->needed[node] || is_leaf(c, node) || done[node])
            continue;
        StepOperation operation = STEP_COUNT;
        const int partner = partner_of(c, node, &operation);
        const bool second = partner != NOWHERE && pattern_pair(c->plans[node].operation, c->plans[partner].operation) == STEP_COUNT;
        const int results[2] = { second ? partner : node, second ? node : partner };
        done[node] = true;
        if (partner != NOWHERE)
            done[partner] = true;
        for (int k = 0; dry && k < 4; k++)
            if (c->plans[node].operands[k] >= 0)
                c->last_use[c->plans[node].operands[k]] = position;
        if (!dry)
            add_step(c, partner == NOWHERE ? c->plans[node].operation : operation, c->plans[node].operands, results);
        position++;
    }
    free(done);
}

/* Formulas that are an input, a number, or the same as one before. */
static void copy_outputs(Compiler *c)
{
    for (int i = 0; i < c->code->outputs; i++)
        if (c->strips[c->roots[i]] != OUTPUT + i)
            c->code->steps[c->code->count++] =
                (ExpressionStep){ STEP_copy, { (uint16_t)c->strips[c->roots[i]] }, { (uint16_t)(OUTPUT + i) } };
}

/* ---- the whole ---- */

static uint16_t strip_number(const ExpressionCode *code, uint16_t strip)
{
    const int index = strip & ~KIND, inputs = code->registers + code->constants;
    switch (strip & KIND) {
    case REGISTER: return (uint16_t)index;
    case CONSTANT: return (uint16_t)(code->registers + index);
    case INPUT:    return (uint16_t)(inputs + index);
    default:       return (uint16_t)(inputs + EXPRESSION_INPUTS + index);
    }
}

static void number_strips(ExpressionCode *code)
{
    for (int i = 0; i < code->count; i++) {
        for (int k = 0; k < 4; k++)
            code->steps[i].from[k] = strip_number(code, code->steps[i].from[k]);
        for (int k = 0; k < 2; k++)
            code->steps[i].to[k] = strip_number(code, code->steps[i].to[k]);
    }
}

/* Whole vectors, so that all strips together stay in the first cache if they can. */
static bool measure_strip(ExpressionCode *code, Error *error)
{
    const int kept = code->registers + code->constants + EXPRESSION_PARAMETERS, all = kept + code->outputs + 2;
    int strip = CACHE_FLOATS / all;
    strip = strip > LONGEST_STRIP ? LONGEST_STRIP : strip;
    if (strip > EXPRESSION_BUFFER / kept)
        strip = EXPRESSION_BUFFER / kept;
    code->strip = strip / SHORTEST_STRIP * SHORTEST_STRIP;
    if (code->strip == 0 && EXPRESSION_BUFFER / kept >= SHORTEST_STRIP)
        code->strip = SHORTEST_STRIP;
    return code->strip > 0 || error_set(error, EXIT_usage, "formula: it keeps %d values at once, of at most %d: write it in a simpler form",
                                        kept, EXPRESSION_BUFFER / SHORTEST_STRIP);
}

static void compiler_open(Compiler *c)
{
    const size_t nodes = (size_t)c->tree.count;
    c->plans = allocate(nodes, sizeof *c->plans, "a formula's code");
    c->needed = allocate(nodes, sizeof *c->needed, "a formula's code");
    c->last_use = allocate(nodes, sizeof *c->last_use, "a formula's code");
    c->strips = allocate(nodes, sizeof *c->strips, "a formula's code");
    c->taken = allocate(nodes + 1, sizeof *c->taken, "a formula's code");
    c->code->steps = allocate(nodes + EXPRESSION_OUTPUTS, sizeof *c->code->steps, "a formula's code");
    c->code->numbers = allocate(nodes, sizeof *c->code->numbers, "a formula's code");
    for (size_t i = 0; i < nodes; i++)
        c->last_use[i] = c->strips[i] = NOWHERE;
}

static void compiler_close(Compiler *c)
{
    builder_close(&c->tree);
    free(c->plans);
    free(c->needed);
    free(c->last_use);
    free(c->strips);
    free(c->taken);
}

ExpressionCode *expression_compile(const Expression *const formulas[], int count, bool times_dy, Error *error)
{
    CHECK(count > 0 && count <= EXPRESSION_OUTPUTS, "%d formulas of at most %d", count, EXPRESSION_OUTPUTS);
    Compiler c = { .code = allocate(1, sizeof *c.code, "a formula's code") };
    ExpressionCode *code = c.code;
    code->outputs = count;
    builder_open(&c.tree);
    read_formulas(&c, formulas, count, times_dy);
    compiler_open(&c);
    choose_plans(&c);
    const bool fits = place_leaves(&c, error);
    if (fits) {
        make_steps(&c, true);
        make_steps(&c, false);
        copy_outputs(&c);
        number_strips(code);
    }
    compiler_close(&c);
    if (fits && measure_strip(code, error))
        return code;
    expression_code_free(code);
    return NULL;
}

void expression_code_free(ExpressionCode *code)
{
    if (code) {
        free(code->steps);
        free(code->numbers);
    }
    free(code);
}

static int step_operands(StepOperation operation)
{
    static const int operands[STEP_COUNT] = {
#define X(key, count, ...) [STEP_##key] = count,
#include "expression_operations.def"
#undef X
    };
    return operands[operation];
}

static void write_strip(const ExpressionCode *code, int strip, FILE *to)
{
    static const char *const inputs[] = { "x", "g", "p0", "p1", "p2", "p3", "dy" };
    const int constant = strip - code->registers, input = constant - code->constants, output = input - EXPRESSION_INPUTS;
    if (constant < 0)
        fprintf(to, " r%d", strip);
    else if (input < 0)
        fprintf(to, " %g", (double)code->numbers[constant]);
    else if (output < 0)
        fprintf(to, " %s", inputs[input]);
    else
        fprintf(to, " y%d", output);
}

char *expression_code_text(const ExpressionCode *code)
{
    static const char *const names[] = {
#define X(key, ...) #key,
#include "expression_operations.def"
#undef X
    };
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    CHECK(to, "no memory for %d steps", code->count);
    for (int i = 0; i < code->count; i++) {
        const ExpressionStep *step = &code->steps[i];
        const StepOperation operation = (StepOperation)step->operation;
        fprintf(to, "%s", names[operation]);
        for (int k = 0; k < step_operands(operation); k++)
            write_strip(code, step->from[k], to);
        fprintf(to, " ->");
        write_strip(code, step->to[0], to);
        if (operation == STEP_sigmoid_both || operation == STEP_tanh_both || operation == STEP_tanh_softplus_both)
            write_strip(code, step->to[1], to);
        fprintf(to, "\n");
    }
    CHECK(fclose(to) == 0, "no memory for %d steps", code->count);
    return text;
}
