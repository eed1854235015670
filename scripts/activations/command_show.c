/* command_show.c - activations show: all about one. */

#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "cost.h"
#include "formula.h"
#include "frameworks.h"
#include "properties.h"

typedef struct ShowFlags {
    bool cost;
} ShowFlags;

#define FIELD(name) .field = offsetof(ShowFlags, name)

static const Setting options[] = {
    { "cost", NULL, 0, SETTING_switch, FIELD(cost), .fallback = "true", .group = "Options", .help = "do not measure how long it takes here, on one thread" },
};

static void print_row(const char *label, const char *text)
{
    if (*text)
        printf("  %-12s %s\n", label, text);
}

/* A few values of the function and its derivative, side by side. */
static void print_values(Activation act)
{
    static const double points[] = { -4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0 };
    enum { POINTS = sizeof points / sizeof *points };
    printf("  %-12s", "x");
    for (int i = 0; i < POINTS; i++)
        printf(" %8.2f", points[i]);
    printf("\n  %-12s", "f(x)");
    for (int i = 0; i < POINTS; i++)
        printf(" %8.4f", activation_value(act, points[i]));
    printf("\n  %-12s", "f'(x)");
    for (int i = 0; i < POINTS; i++)
        printf(" %8.4f", activation_slope(act, points[i]));
    putchar('\n');
}

static void print_parameters(Activation act)
{
    const ActivationInfo *info = act.info;
    const char *name = info->parameters;
    char text[128];
    for (int i = 0; i < activation_parameter_count(info); i++, name += strcspn(name, " ") + 1) {
        snprintf(text, sizeof text, "%.*s = %g (default %g)", (int)strcspn(name, " "), name, (double)act.parameters[i], (double)info->defaults[i]);
        print_row("parameter", text);
    }
}

static void print_properties(Activation act)
{
    const Properties p = properties_of(act);
    char text[PROPERTIES_TEXT], line[256];
    if (activation_is_gated(act))
        print_row("here", "g = x: what follows is of a unit that is its own gate");
    print_row("monotone", properties_monotone(&p, text));
    print_row("smooth", properties_smooth(&p, text));
    print_row("saturates", properties_saturates(&p, text));
    snprintf(line, sizeof line, "%s: E f(z) = %.4f, E f(z)^2 = %.4f for a standard normal z",
             fabs(p.mean) < 0.05 ? "yes" : fabs(p.mean) < 0.3 ? "nearly" : "no", fabs(p.mean) < 5e-5 ? 0 : p.mean, p.square);
    print_row("zero-centred", line);
    snprintf(line, sizeof line, "%.6g to %.6g", p.slope_least, p.slope_most);
    print_row("slopes", line);
    print_row("minimum", properties_minimum(&p, text));
    print_row("f(x) = x", properties_fixed_points(&p, text));
    snprintf(line, sizeof line, "%.4g: weights start with variance gain^2 / fan-in (a sixth in linear layers and before batch norm)",
             (double)activation_gain(act));
    print_row("gain", line);
    snprintf(line, sizeof line, "1 / sqrt(E f(z)^2) = %.4f; a layer then multiplies a gradient's variance by %.4f", p.gain,
             p.gain * p.gain * p.slope_square);
    print_row("", line);
}

static void print_names(Activation act)
{
    char line[512] = "";
    for (int i = 0; i < FRAMEWORKS; i++) {
        const char *name = framework_activation(i, act);
        if (*name)
            snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s %s", *line ? "; " : "", framework_name(i), name);
    }
    print_row("elsewhere", line);
}

static void print_cost(Activation act)
{
    char line[128];
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const Cost cost = cost_measure(act);
    omp_set_num_threads(threads);
    snprintf(line, sizeof line, "%.2f ns an element forward, %.2f backward, on one thread", cost.forward, cost.backward);
    print_row("cost", line);
}

/* In words where the catalogue has them; else what the rules of differentiation give. */
static void print_derivatives(const ActivationInfo *info)
{
    char text[1024];
    if (info->derivative && *info->derivative) {
        print_row("f'(x)", info->derivative);
        return;
    }
    const Formula *formula = formula_of(info);
    print_row(formula->gated ? "df/dx" : "f'(x)", formula_slope_text(info, EXPRESSION_x, text, sizeof text));
    if (formula->gated)
        print_row("df/dg", formula_slope_text(info, EXPRESSION_g, text, sizeof text));
}

static void print_one(Activation act, bool cost)
{
    const ActivationInfo *info = act.info;
    char text[1024];
    printf("%s\n", activation_text(act, text, sizeof text));
    print_row("also called", info->aliases);
    print_row("f(x)", info->formula);
    print_derivatives(info);
    print_row("range", info->range);
    print_parameters(act);
    print_properties(act);
    print_row("good for", info->good_for);
    print_row("bad for", info->bad_for);
    print_row("paper", info->paper);
    print_names(act);
    if (cost)
        print_cost(act);
    print_values(act);
}

static bool run(void *flags, OptionLine *line, Error *error)
{
    int count;
    Activation *acts = catalogue_parse(line, 0, &count, error);
    for (int i = 0; acts && i < count; i++)
        print_one(acts[i], ((const ShowFlags *)flags)->cost);
    free(acts);
    return acts;
}

const Command command_show = {
    .options = {
        .command = "show", .usage = "NAME[:P]...",
        .about = "Print all about an activation: formula, derivative, what is computed from them, and what it costs here.",
        .examples = "gelu leaky_relu:0.2\n", .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1 << 30,
    },
    .brief = "all about one: formula, properties, names elsewhere, cost on this processor",
    .size = sizeof(ShowFlags), .run = run,
};
