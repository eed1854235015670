/* activations.c - the catalogue in double precision, and its names; see activations.h, activations.def and formulas.def. */

#include "activations.h"

#include "formula.h"
#include "names.h"
#include "real.h"
#include "text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REAL(constant)    constant
#define ABS(x)            fabs(x)
#define EXP(x)            exp(x)
#define EXPM1(x)          expm1(x)
#define LOG1P(x)          log1p(x)
#define TANH(x)           tanh(x)
#define SIGMOID(x)        real_sigmoid(x)
#define SIGMOID_SLOPE(x)  real_sigmoid_slope(x)
#define PHI(x)            real_phi(x)

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

static const ActivationInfo formulas[] = {
#define X(name, ...) { .id = ACT_formula, .key = #name, __VA_ARGS__ },
#include "formulas.def"
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

int activation_count(void)
{
    return ACT_COUNT - 1 + (int)(sizeof formulas / sizeof *formulas);
}

const ActivationInfo *activation_at(int index)
{
    CHECK(index >= 0 && index < activation_count(), "activation %d of %d", index, activation_count());
    return index < ACT_COUNT - 1 ? &catalogue[index + 1] : &formulas[index - (ACT_COUNT - 1)];
}

const ActivationInfo *activation_info(ActivationKey key)
{
    CHECK(key > ACT_native && key < ACT_COUNT, "activation key %d of 1..%d", (int)key, ACT_COUNT - 1);
    return &catalogue[key];
}

Activation activation_of_info(const ActivationInfo *info)
{
    Activation activation = { .info = info };
    memcpy(activation.parameters, info->defaults, sizeof activation.parameters);
    return activation;
}

Activation activation_of(ActivationKey key)
{
    return key == ACT_native ? (Activation){ 0 } : activation_of_info(activation_info(key));
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

bool activation_has_loops(Activation activation)
{
    return activation.info && activation.info->id != ACT_formula && !activation.info->learned;
}

bool activation_is_gated(Activation activation)
{
    return activation_key(activation) == ACT_formula && formula_of(activation.info)->gated;
}

/* The row's gain is that of its usual parameters; others change it as they change the values' size. */
static double row_gain(Activation activation)
{
    const Activation usual = activation_of_info(activation.info);
    if (!memcmp(usual.parameters, activation.parameters, sizeof usual.parameters))
        return (double)activation.info->gain;
    return (double)activation.info->gain * formula_gain(activation) / formula_gain(usual);
}

float activation_gain(Activation activation)
{
    CHECK(activation.info, "the gain of %s", native_name);
    if (activation.info->gain > 0)
        return (float)row_gain(activation);
    /* A product of two numbers squares what is wrong with their size: above 1 the signal explodes with depth. */
    return activation_is_gated(activation) ? 1.0f : (float)formula_gain(activation);
}

double activation_value(Activation activation, double x)
{
    CHECK(activation.info, "the value of native at %g", x);
    if (activation.info->id == ACT_formula)
        return formula_value(activation, x);
    return loops[activation.info->id].f(x, (double)activation.parameters[0]);
}

double activation_slope(Activation activation, double x)
{
    CHECK(activation.info, "the slope of native at %g", x);
    if (activation.info->id == ACT_formula)
        return formula_slope(activation, x);
    return loops[activation.info->id].df(x, (double)activation.parameters[0]);
}

const char *activation_names(void)
{
    static const char names[] =
#define X(key, ...) " " #key
#include "activations.def"
#include "formulas.def"
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
    const double gain = (double)activation_gain(*activation);
    if (!formula_gain_fits(gain))
        return error_set(error, EXIT_usage, "an activation whose values are too %s: %s of '%s:%.120s': for a standard normal x they have root mean square %.3g: "
                         "choose a number nearer to %g", gain < 1 ? "large" : "small", row->parameters, row->key, text, 1 / gain, (double)row->defaults[0]);
    return true;
}

static bool formula_parse(const char *text, Activation *activation, Error *error)
{
    const ActivationInfo *info = formula_row(text, error);
    if (info)
        *activation = activation_of_info(info);
    return info;
}

bool activation_parse(const char *text, Activation *activation, Error *error)
{
    const size_t length = strcspn(text, ":");
    if (names_match(native_name, text, strlen(text))) {
        *activation = (Activation){0};
        return true;
    }
    for (int i = 0; i < activation_count(); i++) {
        const ActivationInfo *row = activation_at(i);
        if (!names_match(row->key, text, length) && !names_match(row->aliases, text, length))
            continue;
        Activation parsed = activation_of_info(row);
        if (text[length] == ':' && !parameters_parse(text + length + 1, &parsed, error))
            return false;
        *activation = parsed;
        return true;
    }
    if (formula_is_meant(text))
        return formula_parse(text, activation, error);
    NameSearch search = { .wrong = text };
    for (int i = 0; i < activation_count(); i++)
        names_consider(&search, activation_at(i)->key, activation_at(i)->aliases);
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
