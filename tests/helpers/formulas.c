/* formulas.c - see formulas.h. */

#include "formulas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const formulas_known[] = {
    "x", "relu(x)", "x*sigmoid(x)", "x*sigmoid(2*x)", "x*tanh(softplus(x))", "x > 0 ? x : 0.1*x", "x*sigmoid(b*x); b=1", "gelu(x)", "hardswish(x)",
    "x/(1+|x|)", "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))", "clamp(x, -1, 1)", "relu(x)^2", "x*sigmoid(g)", "g*silu(x)", "logsigmoid(x)",
    "x - tanh(x)", "(x + sqrt(x^2 + 4))/2", "x*exp(-x^2)", "a*relu(x) - b*relu(-x); a=1, b=0.25", "x > 0 ? x : a*expm1(x/a); a=1.3", "-x^2", "2^-x",
    "sin(x) + x", "x + sin(a*x)^2/a; a=1", "x*erf(x)", "log1p(exp(x))", "max(x, 0.01*x)", "min(max(0, x), 6)", "atan(x)*2/pi", "x*cos(x)", "sinh(x)/cosh(x)",
    "x <= -1 ? -1 : x >= 1 && !(x == 2) ? 1 : x", "sign(x)*log(1+|x|)", "x*(x > 1 || x < -1)", NULL,
};

typedef struct Writer {
    Random *random;
    char   *text;
    size_t  size, length;
    bool    more;
} Writer;

static void put(Writer *w, const char *text)
{
    w->length += (size_t)snprintf(w->text + (w->length < w->size ? w->length : w->size), w->length < w->size ? w->size - w->length : 0, "%s", text);
}

static const char *one_of(Writer *w, const char *const texts[], size_t count)
{
    return texts[random_below(w->random, (uint32_t)count)];
}

#define ONE_OF(w, ...) one_of(w, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void put_value(Writer *w, int levels);

static void put_call(Writer *w, int levels)
{
    const bool two = random_below(w->random, 6) == 0;
    put(w, two ? ONE_OF(w, "min", "max")
               : ONE_OF(w, "exp", "expm1", "log", "log1p", "sqrt", "abs", "sign", "relu", "sigmoid", "sigmoid_slope", "tanh", "tanh_slope", "softplus", "erf", "phi",
                        "normal", "sin", "cos", "atan", "sinh", "cosh", "silu", "gelu", "mish", "relu6", "elu", "hardsigmoid", "hardswish", "softsign",
                        "logsigmoid", "-", "!"));
    put(w, "(");
    put_value(w, levels - 1);
    if (two) {
        put(w, ", ");
        put_value(w, levels - 1);
    }
    put(w, ")");
}

static void put_leaf(Writer *w)
{
    char number[32];
    switch (random_below(w->random, w->more ? 8 : 4)) {
    case 0:
        snprintf(number, sizeof number, "%g", (double)(random_below(w->random, 64)) / 8);
        put(w, number);
        break;
    case 4:  put(w, "g"); break;
    case 5:  put(w, "a"); break;
    case 6:  put(w, "b"); break;
    case 7:  put(w, ONE_OF(w, "pi", "e")); break;
    default: put(w, "x");
    }
}

static void put_pair(Writer *w, int levels, const char *operator)
{
    put(w, "(");
    put_value(w, levels - 1);
    put(w, operator);
    put_value(w, levels - 1);
    put(w, ")");
}

static void put_value(Writer *w, int levels)
{
    const uint32_t kind = random_below(w->random, 16);
    if (levels == 0 || kind == 0) {
        put_leaf(w);
    } else if (kind < 6) {
        put_call(w, levels);
    } else if (kind < 7) {
        put(w, "(");
        put_pair(w, levels, ONE_OF(w, " < ", " <= ", " > ", " >= ", " == ", " != ", " && ", " || "));
        put(w, " ? ");
        put_value(w, levels - 1);
        put(w, " : ");
        put_value(w, levels - 1);
        put(w, ")");
    } else if (kind < 8) {
        put(w, "(");
        put_value(w, levels - 1);
        put(w, ONE_OF(w, "^2", "^3", "^0.5", "^-1", "^1.5", "^x"));
        put(w, ")");
    } else {
        put_pair(w, levels, ONE_OF(w, " + ", " - ", "*", "*", "/"));
    }
}

void formula_random(Random *random, bool more, char *text, size_t size)
{
    Writer w;
    do {
        w = (Writer){ .random = random, .text = text, .size = size, .more = more };
        put_value(&w, 1 + (int)random_below(random, 4));
    } while (w.length >= size);
}

/* ---- the scale ---- */

/* The value when the values of nodes before `from` stay as they are. */
static double recompute(const Expression *e, int from, double values[])
{
    for (int i = from; i < e->count; i++) {
        const Node *node = &e->nodes[i];
        const int operands = operator_info(node->operator)->operands;
        if (operands)
            values[i] = operator_value(node->operator, values[node->operands[0]], operands > 1 ? values[node->operands[1]] : 0,
                                       operands > 2 ? values[node->operands[2]] : 0);
    }
    return values[e->count - 1];
}

static bool is_exact(Operator operator)
{
    return operator_info(operator)->precedence == PRECEDENCE_comparison || operator == OPERATOR_and || operator == OPERATOR_or || operator == OPERATOR_not;
}

/* 0 of two NaNs and of the same infinity. */
static double difference(double a, double b)
{
    return a == b || (isnan(a) && isnan(b)) ? 0 : fabs(a - b);
}

double formula_tolerance(const Expression *e, const double values[], double unit, double least, bool bounded)
{
    static double moved[FORMULA_NODES];
    double sum = 0;
    for (int i = 0; i < e->count; i++) {
        const double size = bounded && e->nodes[i].operator == OPERATOR_phi ? 1 : fabs(values[i]), step = fmax(unit * size, least);
        double most = 0;
        if (is_exact(e->nodes[i].operator))
            continue;
        for (int sign = -1; sign <= 1; sign += 2) {
            memcpy(moved, values, (size_t)e->count * sizeof *moved);
            moved[i] += sign * step;
            const double change = difference(recompute(e, i + 1, moved), values[e->count - 1]);
            most = change > most || isnan(change) ? change : most;
        }
        sum += most;
    }
    return sum;
}
