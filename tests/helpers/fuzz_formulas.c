/* fuzz_formulas.c - see fuzz_formulas.h. */

#include "fuzz_formulas.h"

#include "expression_code.h"
#include "formulas.h"
#include "kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 2 * EXPRESSION_LENGTH, POINTS = 19, TEXT = 3000, REPEATS = 120 };

/* ---- inputs ---- */

static const char *const words[] = {
    "x", "g", "e", "pi", "sigmoid", "tanh(", "max(", "clamp(", "if", "else", "torch.", ";", "; a=1", " b=-2e3", "a", "b", "1e", ".", "1e-320", "1e308", "0", "**", "^", "||",
    "|", "&&", "!", "!=", "<=", "==", "=", "?", ":", "(", ")", ",", "-", "--", "+", "*", "/", "\xC3\x97", "\xFF", "\n", "\t", "%s%n", "0x1p3", "inf", "nan", "1/0",
};

typedef struct Input {
    Random random;
    size_t length;
    char   text[ROOM + 1];
} Input;

static size_t below(Input *in, size_t bound)
{
    return random_below(&in->random, (uint32_t)bound);
}

/* Puts text in the place of `cut` characters at `at`; what does not fit is left out. */
static void replace(Input *in, size_t at, size_t cut, const char *text, size_t length)
{
    if (in->length - cut + length > ROOM)
        length = ROOM - (in->length - cut);
    char rest[ROOM + 1];
    const size_t after = in->length - at - cut;
    memcpy(rest, in->text + at + cut, after);
    memcpy(in->text + at, text, length);
    memcpy(in->text + at + length, rest, after);
    in->length = at + length + after;
    in->text[in->length] = '\0';
}

static void insert(Input *in, size_t at, const char *text, size_t length)
{
    replace(in, at, 0, text, length);
}

static void start(Input *in)
{
    size_t known = 0;
    while (formulas_known[known])
        known++;
    in->length = 0;
    in->text[0] = '\0';
    if (below(in, 2))
        formula_random(&in->random, true, in->text, EXPRESSION_LENGTH + 1);
    else
        snprintf(in->text, sizeof in->text, "%s", formulas_known[below(in, known)]);
    in->length = strlen(in->text);
}

static void mutate(Input *in)
{
    const size_t at = below(in, in->length + 1), left = in->length - at, span = left ? below(in, left < 16 ? left + 1 : 16) : 0;
    char copy[ROOM + 1];
    const char byte = (char)(1 + below(in, 255)), *word = words[below(in, sizeof words / sizeof *words)];
    memcpy(copy, in->text + at, span);
    switch (below(in, 7)) {
    case 0: replace(in, at, left > 0, &byte, 1); break;
    case 1: insert(in, at, word, strlen(word)); break;
    case 2: replace(in, at, span, "", 0); break;
    case 3: insert(in, below(in, in->length + 1), copy, span); break;
    case 4: replace(in, at, span, word, strlen(word)); break;
    case 5:
        for (size_t i = below(in, 8) ? 1 : REPEATS; i > 0; i--)
            insert(in, at, word, strlen(word));
        break;
    default:
        formula_random(&in->random, true, copy, EXPRESSION_LENGTH + 1);
        insert(in, at, copy, strlen(copy));
    }
}

/* ---- what each must bear ---- */

static const char *const names[] = { "a", "b" };

static Expression *parse(const char *text, bool declared, Error *error)
{
    return declared ? expression_parse(text, error) : expression_parse_with(text, names, 2, error);
}

static void check_refused(const Error *error, const char *text)
{
    const char *caret = strrchr(error->below, '^');
    CHECK(error->code == EXIT_usage && error->text[0] && !strchr(error->text, '\n') && caret && !caret[1], "'%s': '%s'", text, error->text);
}

static void check_text(const Expression *e, bool declared)
{
    static char text[TEXT], cut[TEXT];
    Error error;
    expression_text(e, text, sizeof text);
    expression_text(e, cut, 5 + strlen(text) / 2);
    if (strlen(text) > EXPRESSION_LENGTH)
        return;
    char *parameters = strchr(text, ';');
    if (parameters && !declared)
        *parameters = '\0';
    Expression *again = parse(text, declared, &error);
    CHECK(again, "'%s': %s", text, error.text);
    CHECK(expression_equal(e, again), "'%s' parses to something else", text);
    expression_free(again);
}

static void run(const Expression *const formulas[], int count, bool times_dy, FuzzTally *tally)
{
    static const float x[POINTS] = { 0, -0.0f, 1, -1, 3, -3, 0.1f, 50, -50, 1e4f, -1e4f, 1e30f, -1e30f, 1e-40f, -1e-45f, INFINITY, -INFINITY, NAN, 6 };
    float y[EXPRESSION_OUTPUTS][POINTS], parameter = 0.5f, *outputs[EXPRESSION_OUTPUTS];
    ExpressionStrips in = { .inputs = { x, x, &parameter, &parameter, x, &parameter, x }, .each = { [2] = true } };
    Error error;
    ExpressionCode *code = expression_compile(formulas, count, times_dy, &error);
    CHECK(code || error.text[0], "%d formulas", count);
    for (int i = 0; i < count; i++)
        outputs[i] = y[i];
    if (code)
        kernel_expression_run(code, POINTS, &in, outputs);
    tally->run += code != NULL;
    expression_code_free(code);
}

static void check_parsed(const Expression *e, bool declared, FuzzTally *tally)
{
    Expression *slopes[EXPRESSION_VARIABLES];
    int count = 0;
    check_text(e, declared);
    for (int variable = 0; variable < EXPRESSION_VARIABLES; variable++)
        if (variable == EXPRESSION_x || expression_reads(e, variable))
            slopes[count++] = expression_derivative(e, variable);
    tally->differentiated += count;
    static const double points[] = { 0, -1.5, 1e300, INFINITY, NAN };
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        const double value = expression_value(e, points[i], 1 - points[i], NULL);
        CHECK(isnan(value) || !isnan(points[i]) || !expression_reads(e, EXPRESSION_x), "%g of NaN", value);
        expression_value(slopes[0], points[i], points[i], NULL);
    }
    run(&e, 1, false, tally);
    run((const Expression *const *)slopes, count, true, tally);
    if (expression_nodes(slopes[0]) % 4 == 0) {
        static char text[TEXT];
        Expression *second = expression_derivative(slopes[0], EXPRESSION_x);
        expression_text(second, text, sizeof text);
        expression_free(second);
    }
    for (int i = 0; i < count; i++)
        expression_free(slopes[i]);
}

FuzzTally fuzz_formulas(uint64_t seed, long first, long count)
{
    FuzzTally tally = {0};
    for (long i = first; i < first + count; i++) {
        Input in = { .random = random_stream(seed, 0, (uint64_t)i, RANDOM_shapes) };
        start(&in);
        for (size_t mutations = below(&in, 5); mutations > 0; mutations--)
            mutate(&in);
        const bool declared = strchr(in.text, ';') != NULL;
        Error error;
        Expression *e = parse(in.text, declared, &error);
        if (e)
            check_parsed(e, declared, &tally);
        else
            check_refused(&error, in.text);
        tally.parsed += e != NULL;
        tally.refused += e == NULL;
        expression_free(e);
    }
    return tally;
}
