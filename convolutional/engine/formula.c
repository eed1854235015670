/* formula.c - formulas parsed once and kept; see formula.h. */

#include "formula.h"

#include "names.h"
#include "text.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One that is kept. */
typedef struct Kept {
    ActivationInfo        typed;      /* what describes a typed one */
    const ActivationInfo *info;       /* that, or a row of the catalogue */
    Formula               formula;
    struct Kept          *next;       /* with the same hash */
} Kept;

enum { BUCKETS = 1 << 12 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Kept *buckets[BUCKETS];      /* by the text of the formula */
static int   kept_count;

static size_t bucket_of(const char *text)
{
    size_t hash = 5381;
    for (; *text; text++)
        hash = hash * 33 + (unsigned char)*text;
    return hash % BUCKETS;
}

/* ---- making one ---- */

/* A row's parameters are known by its names; `noise` is known everywhere, and drawn. */
static const char noise_name[] = "noise";

static Expression *parse_row(const ActivationInfo *info)
{
    char words[EXPRESSION_PARAMETERS][EXPRESSION_NAME];
    const char *names[EXPRESSION_PARAMETERS];
    const int count = activation_parameter_count(info);
    for (int i = 0; i < count; i++)
        names[i] = names_word(info->parameters, i, words[i], sizeof words[i]);
    names[count] = noise_name;
    Error error;
    Expression *value = expression_parse_with(info->formula, names, count + 1, &error);
    CHECK(value, "formula of %s: %s", info->key, error.text);
    return value;
}

/* Only x and learned parameters are asked for their derivatives in a step; of a row's own constants there are none. */
static bool formula_fill(Formula *formula, Expression *value, bool with_noise, Error *error)
{
    *formula = (Formula){ .value = value, .gated = expression_reads(value, EXPRESSION_g), .noise = -1,
                          .parameters = expression_parameter_count(value) };
    if (with_noise) {
        formula->parameters--;
        if (expression_reads(value, EXPRESSION_parameter + formula->parameters))
            formula->noise = formula->parameters;
    }
    const Expression *outputs[EXPRESSION_VARIABLES];
    const int variables = with_noise ? EXPRESSION_parameter : EXPRESSION_parameter + formula->parameters;
    int count = 0;
    for (int i = 0; i < variables; i++)
        if (expression_reads(value, i)) {
            formula->slopes[i] = expression_derivative(value, i);
            outputs[count++] = formula->slopes[i];
        }
    formula->forward = expression_compile((const Expression *const[]){ value }, 1, false, error);
    formula->backward = formula->forward ? expression_compile(outputs, count, true, error) : NULL;
    return formula->backward;
}

static void formula_clear(Formula *formula)
{
    for (int i = 0; i < EXPRESSION_VARIABLES; i++)
        expression_free(formula->slopes[i]);
    expression_free(formula->value);
    expression_code_free(formula->forward);
    expression_code_free(formula->backward);
}

/* ---- keeping it ---- */

static Kept *kept_find(const ActivationInfo *info, const char *text)
{
    for (Kept *kept = buckets[bucket_of(text)]; kept; kept = kept->next)
        if (info ? kept->info == info : kept->info == &kept->typed && !strcmp(kept->typed.formula, text))
            return kept;
    return NULL;
}

static void kept_add(Kept *kept, const char *text)
{
    Kept **bucket = &buckets[bucket_of(text)];
    kept->next = *bucket;
    *bucket = kept;
    kept_count++;
}

const Formula *formula_of(const ActivationInfo *info)
{
    pthread_mutex_lock(&lock);
    Kept *kept = kept_find(info, info->formula);
    if (!kept) {
        kept = allocate(1, sizeof *kept, "formula");
        kept->info = info;
        Error error;
        CHECK(formula_fill(&kept->formula, parse_row(info), true, &error), "formula of %s: %s", info->key, error.text);
        kept_add(kept, info->formula);
    }
    pthread_mutex_unlock(&lock);
    return &kept->formula;
}

/* ---- values ---- */

static double apply(const Formula *formula, const Expression *expression, Activation activation, double x, double g)
{
    double parameters[EXPRESSION_PARAMETERS] = { 0 };
    for (int i = 0; i < formula->parameters; i++)
        parameters[i] = (double)activation.parameters[i];
    if (formula->noise >= 0)
        parameters[formula->noise] = 0.5;
    return expression_value(expression, x, g, parameters);
}

static double slope_at(const Formula *formula, Activation activation, double x)
{
    double sum = 0;
    for (int i = EXPRESSION_x; i <= EXPRESSION_g; i++)
        if (formula->slopes[i])
            sum += apply(formula, formula->slopes[i], activation, x, x);
    return sum;
}

/* The trapezoid rule, which is exact to many digits for what falls off as a normal density. */
static double gain_of(const Formula *formula, Activation activation)
{
    const double step = formula->gated ? 0.125 : 1.0 / 256, far = 10;
    const int points = (int)(far / step);
    double moment = 0, total = 0;
    for (int j = formula->gated ? -points : 0; j <= (formula->gated ? points : 0); j++)
        for (int i = -points; i <= points; i++) {
            const double x = i * step, g = j * step, weight = exp(-(x * x + g * g) / 2);
            const double f = apply(formula, formula->value, activation, x, g);
            moment += weight * f * f;
            total += weight;
        }
    return sqrt(total / moment);
}

double formula_value(Activation activation, double x)
{
    const Formula *formula = formula_of(activation.info);
    return apply(formula, formula->value, activation, x, x);
}

double formula_slope(Activation activation, double x)
{
    return slope_at(formula_of(activation.info), activation, x);
}

double formula_gain(Activation activation)
{
    return gain_of(formula_of(activation.info), activation);
}

bool formula_gain_fits(double gain)
{
    return gain > 1e-4 && gain < 1e4;
}

const char *formula_slope_text(const ActivationInfo *info, int variable, char *text, size_t size)
{
    const Formula *formula = formula_of(info);
    CHECK(formula->slopes[variable], "%s: no derivative by variable %d", info->key, variable);
    expression_text(formula->slopes[variable], text, size);
    text[strcspn(text, ";")] = '\0';
    return text;
}

/* ---- typed formulas ---- */

bool formula_is_meant(const char *text)
{
    if (strpbrk(text, "()*+/^?<>=!&|;"))
        return true;
    Expression *expression = expression_parse(text, NULL);
    const bool reads = expression && expression_reads(expression, EXPRESSION_x);
    expression_free(expression);
    return reads;
}

/* An activation that is not finite somewhere near the middle would stop the first training that meets it. */
static bool is_finite(const Formula *formula, Activation activation, Error *error)
{
    for (int i = -160; i <= 160; i++) {
        const double x = i / 8.0;
        const double f = apply(formula, formula->value, activation, x, -x), df = slope_at(formula, activation, x);
        if (!isfinite(f) || !isfinite(df))
            return error_set(error, EXIT_usage, "%s is %g at x = %g: '%.200s': write one that is finite from -20 to 20, such as 'x > 0 ? ... : ...'",
                             isfinite(f) ? "the derivative of the formula" : "the formula", isfinite(f) ? df : f, x, activation.info->key);
    }
    return true;
}

/* *gain: what weights before it start with. */
static bool fits(const Formula *formula, Activation activation, float *gain, Error *error)
{
    if (!is_finite(formula, activation, error))
        return false;
    const double computed = gain_of(formula, activation);
    if (!formula_gain_fits(computed))
        return error_set(error, EXIT_usage, "a formula whose values are too %s: '%.200s': for a standard normal x they have root mean square %.3g: "
                         "multiply it by a number", computed < 1 ? "large" : "small", activation.info->key, 1 / computed);
    *gain = formula->gated ? 0 : (float)computed;
    return true;
}

/* The description of a typed formula stands in the same block of memory as itself. NULL and an error: it cannot be compiled, or does not fit.
 * Takes the expression. */
static Kept *kept_typed(Expression *value, Error *error)
{
    Kept *kept = allocate(1, sizeof *kept, "formula");
    const char *text = text_copy(expression_source(value));
    kept->typed = (ActivationInfo){
        .id = ACT_formula, .key = text, .formula = text, .family = "typed", .aliases = "", .parameters = "", .range = "", .derivative = "",
        .paper = "", .good_for = "", .bad_for = "", .learned = expression_parameter_count(value) > 0,
    };
    for (int i = 0; i < expression_parameter_count(value); i++)
        kept->typed.defaults[i] = (float)expression_parameter_default(value, i);
    kept->info = &kept->typed;
    if (formula_fill(&kept->formula, value, false, error) &&
        fits(&kept->formula, activation_of_info(&kept->typed), &kept->typed.gain, error))
        return kept;
    formula_clear(&kept->formula);
    free((char *)(uintptr_t)kept->typed.key);
    free(kept);
    return NULL;
}

const ActivationInfo *formula_row(const char *text, Error *error)
{
    Expression *value = expression_parse(text, error);
    if (!value)
        return NULL;
    if (!expression_reads(value, EXPRESSION_x)) {
        expression_free(value);
        error_set(error, EXIT_usage, "a formula that does not depend on x: '%.200s': write x for what the activation is given", text);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    Kept *kept = kept_find(NULL, expression_source(value));
    const bool found = kept != NULL, full = !found && kept_count >= FORMULA_MOST;
    if (full)
        error_set(error, EXIT_usage, "more than %d formulas in one process: '%.200s': start another", FORMULA_MOST, text);
    else if (!found)
        kept = kept_typed(value, error);
    if (kept && !found)
        kept_add(kept, kept->typed.formula);
    pthread_mutex_unlock(&lock);
    if (found || full)
        expression_free(value);
    return kept ? &kept->typed : NULL;
}
