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
#define X(name, expression, slope, ...) [ACT_##name] = { .id = ACT_##name, .key = #name, __VA_ARGS__ },
#include "activations.def"
#undef X
};

/* The loops of a row, in double. */
static const struct {
    double (*f)(double x, double a), (*df)(double x, double a);
} loops[ACT_COUNT] = {
#define X(name, ...) [ACT_##name] = { f_##name, df_##name },
#include "activations.def"
#undef X
};

static const char native_name[] = "native";

const ActivationInfo *activation_info(ActivationKey key)
{
    CHECK(key > ACT_native && key < ACT_COUNT, "activation key %d of 1..%d", (int)key, ACT_COUNT - 1);
    return &catalogue[key];
}

Activation activation_of(ActivationKey key)
{
    Activation activation = { .info = key == ACT_native ? NULL : activation_info(key) };
    if (activation.info)
        memcpy(activation.parameters, activation.info->defaults, sizeof activation.parameters);
    return activation;
}

Activation activation_with(ActivationKey key, float parameter)
{
    Activation activation = activation_of(key);
    activation.parameters[0] = parameter;
    return activation;
}

int activation_parameter_count(const ActivationInfo *info)
{
    int count = 0;
    for (const char *word = info->parameters; *word; word += strspn(word, " "), count++)
        word += strcspn(word, " ");
    return count;
}

ActivationKey activation_key(Activation activation)
{
    return activation.info ? activation.info->id : ACT_native;
}

double activation_value(Activation activation, double x)
{
    CHECK(activation.info, "the value of native at %g", x);
    return loops[activation.info->id].f(x, (double)activation.parameters[0]);
}

double activation_slope(Activation activation, double x)
{
    CHECK(activation.info, "the slope of native at %g", x);
    return loops[activation.info->id].df(x, (double)activation.parameters[0]);
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
static bool is_finite(Activation activation)
{
    static const double points[] = { -1e4, -1, 0, 1, 1e4 };
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        const double f = activation_value(activation, points[i]), df = activation_slope(activation, points[i]);
        if (!(fabs(f) <= FLT_MAX && fabs(df) <= FLT_MAX))
            return false;
    }
    return true;
}

/* Reads one number of `text`, which ends at a comma or at the text's end; *next: what follows it. */
static bool number_parse(const char *text, const char **next, float *number)
{
    char *end;
    const size_t length = strspn(text, "+-.0123456789eE");
    *number = text_read_float(text, &end);
    *next = end;
    return length > 0 && end == text + length && (*end == ',' || !*end) && isfinite(*number);
}

/* text: what stands after the name's colon. Parameters that it leaves out stay as they are. */
static bool parameters_parse(const char *text, Activation *activation, Error *error)
{
    const ActivationInfo *row = activation->info;
    const int count = activation_parameter_count(row);
    if (!count)
        return error_set(error, EXIT_usage, "activation without a parameter: '%s:%.120s': write '%s'",
                         row->key, text, row->key);
    const char *at = text, *next = text;
    for (int i = 0; i < count; i++, at = next + 1) {
        if (!number_parse(at, &next, &activation->parameters[i]))
            return error_set(error, EXIT_usage, "not a finite number: %s of '%s:%.120s': write a number, as in '%s:%g'",
                             row->parameters, row->key, text, row->key, (double)row->defaults[0]);
        if (!*next)
            break;
    }
    if (*next)
        return error_set(error, EXIT_usage, "too many numbers: %s of '%s:%.120s': it has %d", row->parameters, row->key, text, count);
    if (!is_finite(*activation))
        return error_set(error, EXIT_usage, "activation is not finite: %s of '%s:%.120s': choose a number nearer to %g",
                         row->parameters, row->key, text, (double)row->defaults[0]);
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
        Activation parsed = activation_of(key);
        if (text[length] == ':' && !parameters_parse(text + length + 1, &parsed, error))
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
    const ActivationInfo *row = activation.info;
    if (!row) {
        snprintf(text, size, "%s", native_name);
        return text;
    }
    const int count = activation_parameter_count(row);
    size_t used = (size_t)snprintf(text, size, "%s", row->key);
    if (!memcmp(activation.parameters, row->defaults, (size_t)count * sizeof *row->defaults))
        return text;
    for (int i = 0; i < count && used < size; i++) {
        char number[32];
        text_of_float(activation.parameters[i], number, sizeof number);
        used += (size_t)snprintf(text + used, size - used, "%c%s", i ? ',' : ':', number);
    }
    return text;
}
