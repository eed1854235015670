/* expression_formula.c - from a formula's text to nodes; see expression.h.
 *
 * A descent by precedence, one function a level; brackets in each other are counted, so that it is never deep. */

#include "expression_scan.h"

#include "names.h"

#include <stdio.h>
#include <string.h>

enum { NAME_WIDTH = 40 };

static int parse_choice(Parser *p);

static bool enter(Parser *p)
{
    if (p->depth < EXPRESSION_DEPTH) {
        p->depth++;
        return true;
    }
    scan_fail(p, p->at, "more than %d levels of brackets, signs or conditions: write it in a simpler form", EXPRESSION_DEPTH);
    return false;
}

static int leave(Parser *p, int node)
{
    p->depth--;
    return node;
}

static int add(Parser *p, const char *at, Operator operator, int a, int b, int c)
{
    if (p->typed && p->builder->count >= EXPRESSION_NODES)
        return scan_fail(p, at, "more than %d operations: write it in a simpler form", EXPRESSION_NODES);
    return builder_add(p->builder, operator, a, b, c);
}

static int parse_number(Parser *p)
{
    double number;
    return scan_number(p, &number) ? builder_number(p->builder, number) : NOTHING;
}

static const struct { const char *name; int operands; const char *formula; } shorthands[] = {
#define X(key, operands, formula) { #key, operands, formula },
#include "expression_shorthands.def"
#undef X
};

static const struct { const char *name; double value; } constants[] = {
    { "pi", 3.14159265358979324 }, { "e", 2.71828182845904524 },
};

enum { SHORTHANDS = sizeof shorthands / sizeof *shorthands, CONSTANTS = sizeof constants / sizeof *constants };

static Operator function_of(const char *at, size_t length)
{
    for (Operator operator = 0; operator < OPERATOR_COUNT; operator++)
        if (operator_info(operator)->precedence == PRECEDENCE_function && scan_is(at, length, operator_info(operator)->spelling))
            return operator;
    return OPERATOR_COUNT;
}

static int shorthand_of(const char *at, size_t length)
{
    for (int i = 0; i < SHORTHANDS; i++)
        if (scan_is(at, length, shorthands[i].name))
            return i;
    return -1;
}

const char *expression_functions(void)
{
    static const char names[] =
#define X(key, ...) " " #key
#include "expression_functions.def"
#include "expression_shorthands.def"
#undef X
        ;
    return names + 1;
}

static int unknown_name(Parser *p, const char *at, size_t length)
{
    char name[NAME_WIDTH], meant[256];
    snprintf(name, sizeof name, "%.*s", (int)length, at);
    NameSearch search = { .wrong = name };
    names_consider(&search, expression_functions(), NULL);
    names_meant(&search, "", meant, sizeof meant);
    p->at = at + length;
    const char next = scan_next(p);
    if (next == '.')
        return scan_fail(p, at, "'%s.' is Python's: write the function alone, as in sigmoid(x)", name);
    if (next == '(')
        return scan_fail(p, at, "unknown function '%s': %sthere are %s", name, meant, expression_functions());
    if (p->name_count == EXPRESSION_PARAMETERS)
        return scan_fail(p, at, "unknown name '%s': %swrite x or a parameter", name, meant);
    return scan_fail(p, at, "unknown name '%s': %swrite x, or declare a parameter at the end: '; %s=1'", name, meant, name);
}

bool formula_has_name(const char *at, size_t length)
{
    for (int i = 0; i < CONSTANTS; i++)
        if (scan_is(at, length, constants[i].name))
            return true;
    return scan_is(at, length, "x") || scan_is(at, length, "g") || function_of(at, length) != OPERATOR_COUNT ||
           shorthand_of(at, length) >= 0;
}

/* ---- values ---- */

static int closing(Parser *p, const char *opened, char bracket, int node)
{
    if (node == NOTHING)
        return NOTHING;
    if (scan_next(p) != bracket)
        return scan_fail(p, p->at, "'%c' is missing: close what opens at character %zu", bracket, (size_t)(opened - p->text) + 1);
    p->at++;
    return node;
}

static int parse_bracket(Parser *p, char bracket)
{
    const char *opened = p->at++;
    if (!enter(p))
        return NOTHING;
    int node = closing(p, opened, bracket, parse_choice(p));
    if (node != NOTHING && bracket == '|')
        node = add(p, opened, OPERATOR_abs, node, -1, -1);
    return leave(p, node);
}

static bool parse_operands(Parser *p, const char *name, int length, int count, int operands[3])
{
    const char *opened = p->at++;
    for (int i = 0; i < count; i++) {
        if (i > 0 && scan_next(p) != ',') {
            scan_fail(p, p->at, "%.*s has %d operands: write a comma and the next", length, name, count);
            return false;
        }
        p->at += i > 0;
        operands[i] = parse_choice(p);
        if (operands[i] == NOTHING)
            return false;
    }
    if (scan_next(p) == ',') {
        scan_fail(p, p->at, "%.*s has %d operand%s: write ')' here", length, name, count, count == 1 ? "" : "s");
        return false;
    }
    return closing(p, opened, ')', operands[0]) != NOTHING;
}

static int parse_function(Parser *p, const char *name, size_t length)
{
    const Operator operator = function_of(name, length);
    const int shorthand = shorthand_of(name, length);
    int operands[3] = { -1, -1, -1 };
    if (scan_next(p) != '(')
        return scan_fail(p, p->at, "%.*s is a function: write %.*s(x)", (int)length, name, (int)length, name);
    if (!enter(p))
        return NOTHING;
    const int count = shorthand >= 0 ? shorthands[shorthand].operands : operator_info(operator)->operands;
    if (!parse_operands(p, name, (int)length, count, operands))
        return NOTHING;
    const int node = shorthand < 0 ? add(p, name, operator, operands[0], operands[1], -1)
                                   : builder_formula(p->builder, shorthands[shorthand].formula, operands);
    return leave(p, node);
}

static int parse_name(Parser *p)
{
    const char *at = p->at;
    const size_t length = scan_name(at, p->end);
    p->at += length;
    for (int i = 0; i < p->name_count; i++)
        if (scan_is(at, length, p->names[i].text))
            return p->names[i].place;
    if (function_of(at, length) != OPERATOR_COUNT || shorthand_of(at, length) >= 0)
        return parse_function(p, at, length);
    for (int i = 0; i < CONSTANTS; i++)
        if (scan_is(at, length, constants[i].name))
            return builder_number(p->builder, constants[i].value);
    if (scan_is(at, length, "x"))
        return builder_variable(p->builder, EXPRESSION_x);
    if (scan_is(at, length, "g"))
        return builder_variable(p->builder, EXPRESSION_g);
    return unknown_name(p, at, length);
}

static int parse_value(Parser *p)
{
    const char c = scan_next(p);
    if (c == '(')
        return parse_bracket(p, ')');
    if (c == '|')
        return parse_bracket(p, '|');
    if (scan_number_length(p->at, p->end))
        return parse_number(p);
    if (scan_starts_name(c))
        return parse_name(p);
    if (!c)
        return scan_fail(p, p->at, "a value is missing at the end: write a number, x or a function");
    if (c < ' ' || c > '~')
        return scan_fail(p, p->at, "no letter, digit or sign of ASCII: write a number, x or a function");
    return scan_fail(p, p->at, "a value is missing: write a number, x or a function before '%c'", c);
}

/* ---- operators ---- */

static bool starts_with(const Parser *p, const char *spelling)
{
    const size_t length = strlen(spelling);
    return (size_t)(p->end - p->at) >= length && !memcmp(p->at, spelling, length);
}

/* What stands between two operands here: the longest spelling counts. length: its characters. */
static Operator infix(Parser *p, size_t *length)
{
    Operator best = OPERATOR_COUNT;
    scan_next(p);
    *length = 0;
    for (Operator operator = 0; operator < OPERATOR_COUNT; operator++) {
        const OperatorInfo *row = operator_info(operator);
        const bool stands_between = row->operands == 2 && row->precedence != PRECEDENCE_function;
        if (stands_between && starts_with(p, row->spelling) && strlen(row->spelling) > *length) {
            best = operator;
            *length = strlen(row->spelling);
        }
    }
    if (starts_with(p, "**")) {
        best = OPERATOR_power;
        *length = 2;
    }
    return best;
}

static int parse_prefix(Parser *p);

static int parse_power(Parser *p)
{
    const int base = parse_value(p);
    size_t length;
    if (base == NOTHING || infix(p, &length) != OPERATOR_power)
        return base;
    const char *at = p->at;
    p->at += length;
    if (!enter(p))
        return NOTHING;
    const int exponent = parse_prefix(p);
    return leave(p, exponent == NOTHING ? NOTHING : add(p, at, OPERATOR_power, base, exponent, -1));
}

static int parse_prefix(Parser *p)
{
    const char *at = p->at, c = scan_next(p);
    if (c != '-' && c != '+' && c != '!')
        return parse_power(p);
    p->at++;
    if (!enter(p))
        return NOTHING;
    int node = parse_prefix(p);
    if (node != NOTHING && c != '+')
        node = add(p, at, c == '-' ? OPERATOR_negate : OPERATOR_not, node, -1, -1);
    return leave(p, node);
}

/* Operators of this precedence and above, but not power. */
static int parse_infix(Parser *p, int least)
{
    int left = parse_prefix(p);
    bool compared = false;
    while (left != NOTHING) {
        size_t length;
        const Operator operator = infix(p, &length);
        const int precedence = operator == OPERATOR_COUNT ? 0 : operator_info(operator)->precedence;
        if (precedence < least || precedence == PRECEDENCE_power)
            break;
        const char *at = p->at;
        if (compared && precedence == PRECEDENCE_comparison)
            return scan_fail(p, at, "comparisons do not chain: write a < x && x < b");
        compared = precedence == PRECEDENCE_comparison;
        p->at += length;
        const int right = parse_infix(p, precedence + 1);
        left = right == NOTHING ? NOTHING : add(p, at, operator, left, right, -1);
    }
    return left;
}

static int parse_choice(Parser *p)
{
    const int condition = parse_infix(p, PRECEDENCE_choice + 1);
    if (condition == NOTHING || scan_next(p) != '?')
        return condition;
    const char *at = p->at++;
    if (!enter(p))
        return NOTHING;
    const int then = parse_choice(p);
    if (then == NOTHING)
        return NOTHING;
    if (scan_next(p) != ':')
        return scan_fail(p, p->at, "':' is missing: write condition ? value : other");
    p->at++;
    const int other = parse_choice(p);
    return leave(p, other == NOTHING ? NOTHING : add(p, at, OPERATOR_choose, condition, then, other));
}

/* What stands where the formula should end. */
static int fail_at_rest(Parser *p)
{
    const char *at = p->at, c = *at;
    const size_t length = scan_name(at, p->end);
    if (scan_is(at, length, "if"))
        return scan_fail(p, at, "'a if condition else b' is Python's: write condition ? a : b");
    if (scan_is(at, length, "and") || scan_is(at, length, "or"))
        return scan_fail(p, at, "'%.*s' is Python's: write %s", (int)length, at, *at == 'a' ? "&&" : "||");
    if (c == '=')
        return scan_fail(p, at, "'=' alone compares nothing: write ==");
    if (c == ')' || c == ':' || c == ',')
        return scan_fail(p, at, "'%c' has no beginning: leave it out", c);
    if (c == '&')
        return scan_fail(p, at, "'&' alone is no operator: write &&");
    if (scan_starts_name(c) || c == '(' || scan_number_length(at, p->end))
        return scan_fail(p, at, "an operator is missing: write * to multiply");
    if (c < ' ' || c > '~')
        return scan_fail(p, at, "no letter, digit or sign of ASCII: leave it out");
    return scan_fail(p, at, "'%c' means nothing in a formula: leave it out", c);
}

int formula_parse(Parser *p)
{
    const int root = parse_choice(p);
    if (root != NOTHING && scan_next(p))
        return fail_at_rest(p);
    return root;
}

int builder_formula(Builder *builder, const char *text, const int operands[3])
{
    Parser p = { .text = text, .end = text + strlen(text), .at = text, .builder = builder };
    static const char *const names[] = { "a", "b", "c" };
    for (int i = 0; i < 3 && operands[i] >= 0; i++)
        p.names[p.name_count++] = (Name){ names[i], operands[i] };
    return formula_parse(&p);
}
