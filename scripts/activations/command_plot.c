/* command_plot.c - activations plot: curves as a picture. */

#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "curves.h"

typedef struct PlotFlags {
    const char *output, *range;
    bool        derivative, difference, marks;
    int64_t     panels;
} PlotFlags;

#define FIELD(name) .field = offsetof(PlotFlags, name)

enum { CURVES_MOST = 24 };

static const Setting options[] = {
    { "output", NULL, 'o', SETTING_text, FIELD(output), "FILE", .group = "Options", .help = "the picture: its name ends in .png, .svg or .pdf" },
    { "derivative", "slope", 'd', SETTING_switch, FIELD(derivative), .group = "Options", .help = "draw f' too" },
    { "range", NULL, 0, SETTING_text, FIELD(range), "A,B", "-4,4", .group = "Options", .help = "of x" },
    { "panels", NULL, 0, SETTING_whole, FIELD(panels), "1|2", "2", .least = 1, .most = 2, .group = "Options", .help = "f' beside f, or dashed over it" },
    { "difference", NULL, 0, SETTING_switch, FIELD(difference), .group = "Options", .help = "of two activations: the second less the first, and where it is largest" },
    { "marks", NULL, 0, SETTING_switch, FIELD(marks), .fallback = "true", .group = "Options", .help = "no dots with labels where a curve is lowest" },
};

static bool range_parse(const char *text, double *from, double *to, Error *error)
{
    char *end;
    *from = strtod(text, &end);
    const bool first = end != text && (*end == ',' || *end == ':');
    const char *rest = first ? end + 1 : text;
    *to = strtod(rest, &end);
    return (first && end != rest && !*end && *from < *to && fabs(*from) <= 1e4 && fabs(*to) <= 1e4) ||
           error_set(error, EXIT_usage, "not a range: '%.100s': --range: write two numbers up to 10000, the smaller one first, as in -4,4", text);
}

static bool plot(const PlotFlags *flags, const Activation *acts, int count, Error *error)
{
    CurvesOptions o = { .derivative = flags->derivative, .one_panel = flags->panels == 1, .difference = flags->difference, .no_marks = !flags->marks };
    if (!range_parse(flags->range, &o.from, &o.to, error))
        return false;
    if (o.difference && count != 2)
        return error_set(error, EXIT_usage, "%d activations: --difference: name two", count);
    if (count > CURVES_MOST)
        return error_set(error, EXIT_usage, "%d activations: plot: at most %d curves can be told apart", count, CURVES_MOST);
    Chart *chart = curves_chart(acts, count, &o);
    const bool saved = chart_save(chart, flags->output, error);
    chart_free(chart);
    if (saved)
        printf("%s\n", flags->output);
    return saved;
}

static bool run(void *data, OptionLine *line, Error *error)
{
    const PlotFlags *flags = data;
    if (!flags->output)
        return error_set(error, EXIT_usage, "no file: plot: say -o FILE.png, .svg or .pdf");
    if (!chart_check_path(flags->output, error))
        return false;
    int count;
    Activation *acts = catalogue_parse(line, 0, &count, error);
    const bool plotted = acts && plot(flags, acts, count, error);
    free(acts);
    return plotted;
}

const Command command_plot = {
    .options = {
        .command = "plot", .usage = "NAME[:P]... -o FILE",
        .about = "Draw activations, all in one picture.",
        .examples = "relu gelu silu --derivative -o curves.png\ngelu gelu_tanh --difference -o error.svg\n",
        .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1 << 30,
    },
    .brief = "curves, slopes and differences as a picture",
    .size = sizeof(PlotFlags), .run = run,
};
