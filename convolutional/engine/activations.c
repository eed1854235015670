/* activations.c - the catalogue in double precision, and its names; see activations.h and activations.def. */

#include "activations.h"

#include "names.h"
#include "text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double sigmoid(double x)
{
    const double t = exp(-fabs(x));
    return (x < 0 ? t : 1) / (1 + t);
}

static double sigmoid_slope(double x)
{
    const double t = exp(-fabs(x));
    return t / ((1 + t) * (1 + t));
}

static double phi(double x)
{
    return erfc(-x * 0.70710678118654752) / 2;
}

#define REAL(constant)    constant
#define ABS(x)            fabs(x)
#define EXP(x)            exp(x)
#define EXPM1(x)          expm1(x)
#define LOG1P(x)          log1p(x)
#define TANH(x)           tanh(x)
#define SIGMOID(x)        sigmoid(x)
#define SIGMOID_SLOPE(x)  sigmoid_slope(x)
#define PHI(x)            phi(x)

#define X(key, f, df, ...)                                                      \
    static double f_##key(double x, double a)  { (void)x, (void)a; return f; }  \
    static double df_##key(double x, double a) { (void)x, (void)a; return df; }
#include "activations.def"
#undef X

static const ActivationInfo catalogue[ACT_COUNT] = {
#define X(name, expression, slope, ...) [ACT_##name] = { .key = #name, .f = f_##name, .df = df_##name, __VA_ARGS__ },
#include "activations.def"
#undef X
};

static const char native_name[] = "native";

const ActivationInfo *activation_info(ActivationKey key)
{
    CHECK(key > ACT_native && key < ACT_COUNT, "activation key %d of 1..%d", (int)key, ACT_COUNT - 1);
    return &catalogue[key];
}

const char *activation_names(void)
{
    static const char names[] =
#define X(key, ...) " " #key
#include "activations.def"
#undef X
        ;
    return names + 1;
}

/* Whether f and f' stay within float's range, far out and at zero too. */
static bool row_is_finite(const ActivationInfo *row, float parameter)
{
    static const double points[] = { -1e4, -1, 0, 1, 1e4 };
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        const double f = row->f(points[i], (double)parameter), df = row->df(points[i], (double)parameter);
        if (!(fabs(f) <= FLT_MAX && fabs(df) <= FLT_MAX))
            return false;
    }
    return true;
}

static bool parameter_parse(const char *text, const ActivationInfo *row, float *parameter, Error *error)
{
    if (!*row->parameter)
        return error_set(error, EXIT_usage, "activation without a parameter: '%s:%.120s': write '%s'",
                         row->key, text, row->key);
    char *end;
    const float value = text_read_float(text, &end);
    const bool decimal = *text && text[strspn(text, "+-.0123456789eE")] == '\0';
    if (!decimal || *end || !isfinite(value))
        return error_set(error, EXIT_usage, "not a finite number: %s of '%s:%.120s': write a number, as in '%s:%g'",
                         row->parameter, row->key, text, row->key, (double)row->fallback);
    if (!row_is_finite(row, value))
        return error_set(error, EXIT_usage, "activation is not finite: %s of '%s:%.120s': choose a number nearer to %g",
                         row->parameter, row->key, text, (double)row->fallback);
    *parameter = value;
    return true;
}

bool activation_parse(const char *text, Activation *activation, Error *error)
{
    const size_t length = strcspn(text, ":");
    if (names_match(native_name, text, strlen(text))) {
        *activation = (Activation){0};
        return true;
    }
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++) {
        const ActivationInfo *row = &catalogue[key];
        if (!names_match(row->key, text, length) && !names_match(row->aliases, text, length))
            continue;
        Activation parsed = { .key = key, .parameter = row->fallback };
        if (text[length] == ':' && !parameter_parse(text + length + 1, row, &parsed.parameter, error))
            return false;
        *activation = parsed;
        return true;
    }
    NameSearch search = { .wrong = text };
    for (ActivationKey key = ACT_native + 1; key < ACT_COUNT; key++)
        names_consider(&search, catalogue[key].key, catalogue[key].aliases);
    return names_unknown(&search, "unknown activation", "", "activations list", error);
}

const char *activation_text(Activation activation, char *text, size_t size)
{
    if (activation.key == ACT_native) {
        snprintf(text, size, "%s", native_name);
        return text;
    }
    const ActivationInfo *row = activation_info(activation.key);
    if (!*row->parameter || activation.parameter == row->fallback) {
        snprintf(text, size, "%s", row->key);
        return text;
    }
    char number[32];
    text_of_float(activation.parameter, number, sizeof number);
    snprintf(text, size, "%s:%s", row->key, number);
    return text;
}
