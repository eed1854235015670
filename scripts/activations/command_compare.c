/* command_compare.c - activations compare: what is computed of each, a line an activation. */

#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <omp.h>

#include "cost.h"
#include "properties.h"

typedef struct CompareFlags {
    bool cost;
} CompareFlags;

#define FIELD(name) .field = offsetof(CompareFlags, name)

static const Setting options[] = {
    { "cost", NULL, 0, SETTING_switch, FIELD(cost), .group = "Options", .help = "measure each too: ns an element forward and backward, on one thread" },
};

static void print_line(Activation act, bool cost)
{
    const Properties p = properties_of(act);
    char name[1024], monotone[PROPERTIES_TEXT], smooth[PROPERTIES_TEXT], saturates[PROPERTIES_TEXT], minimum[PROPERTIES_TEXT], slopes[32];
    snprintf(slopes, sizeof slopes, "%.4g to %.4g", p.slope_least, p.slope_most);
    printf("%-14s %-16s %-16s %-9s %-18s %-9s %-22s %7.3f %7.3f %6.3f", activation_text(act, name, sizeof name), act.info->range, slopes,
           properties_monotone(&p, monotone), properties_smooth(&p, smooth), properties_saturates(&p, saturates),
           properties_minimum(&p, minimum), fabs(p.mean) < 5e-4 ? 0 : p.mean, p.square, p.gain);
    if (cost) {
        const Cost measured = cost_measure(act);
        printf(" %6.2f %6.2f", measured.forward, measured.backward);
    }
    putchar('\n');
}

static bool run(void *flags, OptionLine *line, Error *error)
{
    const bool cost = ((const CompareFlags *)flags)->cost;
    int count;
    Activation *acts = catalogue_parse(line, 0, &count, error);
    if (!acts)
        return false;
    omp_set_num_threads(1);
    printf("%-14s %-16s %-16s %-9s %-18s %-9s %-22s %7s %7s %6s%s\n", "", "range", "slopes", "monotone", "smooth", "saturates", "minimum", "E f",
           "E f^2", "gain", cost ? " fwd ns bwd ns" : "");
    for (int i = 0; i < count; i++)
        print_line(acts[i], cost);
    free(acts);
    return true;
}

const Command command_compare = {
    .options = {
        .command = "compare", .usage = "NAME[:P]...",
        .about = "Print what is computed of each activation side by side, a line each; all: the whole catalogue.\n"
                 "E f and E f^2 are means over standard normal inputs; gain is 1 / sqrt(E f^2).",
        .examples = "relu gelu silu\nall --cost\n", .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1 << 30,
    },
    .brief = "several side by side",
    .size = sizeof(CompareFlags), .run = run,
};
