/* formula.c - formulas parsed once and kept; see formula.h. */

#include "formula.h"

#include "kernels.h"
#include "names.h"
#include "text.h"

#include <float.h>
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
static int   typed_count;

static size_t bucket_of(const char *text)
{
    size_t hash = 5381;
    for (; *text; text++)
        hash = hash * 33 + (unsigned char)*text;
    return hash % BUCKETS;
}

/* ---- making one ---- */

/* A row's parameters are known by its names; `noise` is known in every row, and drawn. */
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

static void kept_free(Kept *kept)
{
    formula_clear(&kept->formula);
    free((char *)(uintptr_t)kept->typed.key);
    free(kept);
}

/* Found, or NULL. Nothing is made under the lock: where memory runs out the caller may go on elsewhere (memory_guard). */
static Kept *kept_look_up(const ActivationInfo *info, const char *text)
{
    pthread_mutex_lock(&lock);
    Kept *kept = kept_find(info, text);
    pthread_mutex_unlock(&lock);
    return kept;
}

/* Keeps `made`, or frees it where another thread was faster; the one that is kept. NULL: of typed ones there are too many. */
static Kept *kept_add(Kept *made)
{
    const char *text = made->info->formula;
    pthread_mutex_lock(&lock);
    const bool is_typed = made->info == &made->typed;
    Kept *kept = kept_find(is_typed ? NULL : made->info, text);
    if (!kept && (!is_typed || typed_count < FORMULA_MOST)) {
        Kept **bucket = &buckets[bucket_of(text)];
        made->next = *bucket;
        *bucket = kept = made;
        typed_count += is_typed;
    }
    pthread_mutex_unlock(&lock);
    if (kept != made)
        kept_free(made);
    return kept;
}

const Formula *formula_of(const ActivationInfo *info)
{
    Kept *kept = kept_look_up(info, info->formula);
    if (!kept) {
        Error error;
        Kept *made = allocate(1, sizeof *made, "formula");
        made->info = info;
        CHECK(formula_fill(&made->formula, parse_row(info), true, &error), "formula of %s: %s", info->key, error.text);
        kept = kept_add(made);
    }
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

/* "the formula is infinite at x = 0" */
static bool check_finite(double value, const char *what, double x, Activation activation, Error *error)
{
    return fabs(value) <= (double)FLT_MAX ||
           error_set(error, EXIT_usage, "%s is %s at x = %g: '%.200s': write one that is finite from -20 to 20, such as 'x > 0 ? ... : ...'", what,
                     isnan(value) ? "not a number" : isinf(value) ? "infinite" : "too large for float", x, activation.info->key);
}

enum { POINTS = 321 };      /* an eighth apart, from -20 to 20 */

static double point_at(int i)
{
    return (i - POINTS / 2) / 8.0;
}

/* An activation that is not finite somewhere near the middle would stop the first training that meets it. */
static bool is_finite(const Formula *formula, Activation activation, Error *error)
{
    for (int i = 0; i < POINTS; i++) {
        const double x = point_at(i);
        if (!check_finite(apply(formula, formula->value, activation, x, -x), "the formula", x, activation, error) ||
            !check_finite(slope_at(formula, activation, x), "the derivative of the formula", x, activation, error))
            return false;
        for (int p = EXPRESSION_parameter; p < EXPRESSION_VARIABLES; p++) {
            const Expression *slope = formula->slopes[p];
            if (slope && !check_finite(apply(formula, slope, activation, x, -x), "the derivative of the formula by a learned number", x, activation, error))
                return false;
        }
    }
    return true;
}

static bool check_floats(const float *values, const char *what, Activation activation, Error *error)
{
    for (int i = 0; i < POINTS; i++)
        if (!check_finite((double)values[i], what, point_at(i), activation, error))
            return false;
    return true;
}

/* As training computes it. In float 1 - sigmoid(x) is 0 from 16.75 on, so that log(1 - sigmoid(x)) is infinite there; in double it is finite up to 20. */
static bool is_finite_in_float(const Formula *formula, Activation activation, Error *error)
{
    float x[POINTS], g[POINTS], dy[POINTS], results[EXPRESSION_VARIABLES][POINTS], *outputs[EXPRESSION_VARIABLES];
    ExpressionStrips strips = { .inputs = { [EXPRESSION_x] = x, [EXPRESSION_g] = g, [EXPRESSION_dy] = dy } };
    int count = 0;
    for (int i = 0; i < POINTS; i++) {
        x[i] = (float)point_at(i);
        g[i] = -x[i];
        dy[i] = 1;
    }
    for (int i = 0; i < formula->parameters; i++)
        strips.inputs[EXPRESSION_parameter + i] = &activation.parameters[i];
    kernel_expression_run(formula->forward, POINTS, &strips, (float *const[]){ results[0] });
    if (!check_floats(results[0], "the formula, computed in float,", activation, error))
        return false;
    for (int i = 0; i < EXPRESSION_VARIABLES; i++)
        if (formula->slopes[i]) {
            outputs[count] = results[count];
            count++;
        }
    kernel_expression_run(formula->backward, POINTS, &strips, outputs);
    for (int i = 0; i < count; i++)
        if (!check_floats(results[i], "the derivative of the formula, computed in float,", activation, error))
            return false;
    return true;
}

/* *gain: what weights before it start with. */
static bool fits(const Formula *formula, Activation activation, float *gain, Error *error)
{
    if (!is_finite(formula, activation, error) || !is_finite_in_float(formula, activation, error))
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
    kept_free(kept);
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
    Kept *kept = kept_look_up(NULL, expression_source(value));
    if (kept) {
        expression_free(value);
        return &kept->typed;
    }
    Kept *made = kept_typed(value, error);
    if (!made)
        return NULL;
    kept = kept_add(made);
    if (!kept)
        error_set(error, EXIT_usage, "more than %d formulas in one process: '%.200s': start another", FORMULA_MOST, text);
    return kept ? &kept->typed : NULL;
}
