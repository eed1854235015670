/* expression_parse.c - from a formula and its parameters to an expression; see expression.h. */

#include "expression_scan.h"

#include <stdio.h>
#include <string.h>

static bool name_is_free(const Expression *e, const char *at, size_t length)
{
    for (int i = 0; i < e->parameters; i++)
        if (scan_is(at, length, e->names[i]))
            return false;
    return !formula_has_name(at, length);
}

/* One `name=number`. */
static bool read_parameter(Parser *p, Expression *e)
{
    const char *at = p->at;
    const size_t length = scan_name(at, p->end);
    if (!scan_starts_name(*at))
        return scan_fail(p, at, "a parameter is missing: write name=number, as in 'x*sigmoid(b*x); b=1'") != NOTHING;
    if (e->parameters == EXPRESSION_PARAMETERS)
        return scan_fail(p, at, "more than %d parameters: leave some out", EXPRESSION_PARAMETERS) != NOTHING;
    if (length >= EXPRESSION_NAME)
        return scan_fail(p, at, "a parameter's name of %zu letters: at most %d fit", length, EXPRESSION_NAME - 1) != NOTHING;
    if (!name_is_free(e, at, length))
        return scan_fail(p, at, "'%.*s' has a meaning already: choose another name for the parameter",
                         (int)length, at) != NOTHING;
    p->at += length;
    if (scan_next(p) != '=')
        return scan_fail(p, p->at, "'=' is missing: write %.*s=1", (int)length, at) != NOTHING;
    p->at++;
    const char sign = scan_next(p);
    p->at += sign == '-' || sign == '+';
    scan_next(p);
    double number;
    if (!scan_number_length(p->at, p->end))
        return scan_fail(p, p->at, "a number is missing: write %.*s=1", (int)length, at) != NOTHING;
    if (!scan_number(p, &number))
        return false;
    snprintf(e->names[e->parameters], EXPRESSION_NAME, "%.*s", (int)length, at);
    e->defaults[e->parameters++] = sign == '-' ? -number : number;
    return true;
}

/* All after the ';', between which stand spaces, commas or semicolons. */
static bool read_parameters(Parser *p, Expression *e)
{
    for (char c; (c = scan_next(p));) {
        if (c == ',' || c == ';')
            p->at++;
        else if (!read_parameter(p, e))
            return false;
    }
    return true;
}

static bool all_are_used(Parser *p, const Expression *e, int first, const char *parameters)
{
    for (int i = first; i < e->parameters; i++)
        if (!expression_reads(e, EXPRESSION_parameter + i))
            return scan_fail(p, parameters, "the formula does not use the parameter '%s': leave it out", e->names[i]) != NOTHING;
    return true;
}

/* ---- the whole ---- */

/* Parameters first, as they give names to the formula. */
static Expression *parse(Parser *p, Expression *declared)
{
    const char *all = p->text + strlen(p->text), *semicolon = strchr(p->text, ';');
    const int first = declared->parameters;
    if (all - p->text > EXPRESSION_LENGTH) {
        scan_fail(p, p->text + EXPRESSION_LENGTH, "a formula of %zu characters: at most %d are read",
                  (size_t)(all - p->text), EXPRESSION_LENGTH);
        return NULL;
    }
    p->at = semicolon ? semicolon : all;
    p->end = all;
    if (!read_parameters(p, declared))
        return NULL;
    for (int i = 0; i < declared->parameters; i++)
        p->names[p->name_count++] = (Name){ declared->names[i], builder_variable(p->builder, EXPRESSION_parameter + i) };
    p->at = p->text;
    p->end = semicolon ? semicolon : all;
    const int root = formula_parse(p);
    if (root == NOTHING)
        return NULL;
    Expression *e = builder_finish(p->builder, root);
    e->parameters = declared->parameters;
    memcpy(e->names, declared->names, sizeof e->names);
    memcpy(e->defaults, declared->defaults, sizeof e->defaults);
    if (all_are_used(p, e, first, semicolon))
        return e;
    expression_free(e);
    return NULL;
}

Expression *expression_parse_with(const char *text, const char *const names[], int count, Error *error)
{
    Expression declared = { .parameters = count };
    CHECK(count <= EXPRESSION_PARAMETERS, "%d parameters of at most %d", count, EXPRESSION_PARAMETERS);
    for (int i = 0; i < count; i++)
        snprintf(declared.names[i], EXPRESSION_NAME, "%s", names[i]);
    Builder builder;
    builder_open(&builder);
    Parser p = { .text = text, .builder = &builder, .typed = true, .error = error };
    Expression *e = parse(&p, &declared);
    builder_close(&builder);
    if (e) {
        const char *begin = text + strspn(text, " \t\n\r"), *end = text + strlen(text);
        while (end > begin && scan_is_space(end[-1]))
            end--;
        memcpy(e->source, begin, (size_t)(end - begin));
    }
    return e;
}

Expression *expression_parse(const char *text, Error *error)
{
    return expression_parse_with(text, NULL, 0, error);
}
