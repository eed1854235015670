/* command_values.c - activations eval and grad: f and f' at given numbers, in double precision. */

#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

typedef struct ValueFlags {
    bool sort;
} ValueFlags;

#define FIELD(name) .field = offsetof(ValueFlags, name)

static const Setting options[] = {
    { "sort", NULL, 0, SETTING_switch, FIELD(sort), .group = "Options", .help = "of several activations: the largest first, at the first X" },
};

typedef double (*Curve)(Activation act, double x);

typedef struct Row {
    Activation act;
    double     first;
    int        place;
} Row;

static bool number_parse(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return *text && !*end;
}

/* Where the numbers begin: what is before are activations. */
static int first_number(const OptionLine *line)
{
    double number;
    int i = 0;
    while (i < line->argument_count && !number_parse(line->arguments[i], &number))
        i++;
    return i;
}

static int by_first(const void *a, const void *b)
{
    const Row *x = a, *y = b;
    return x->first != y->first ? (x->first < y->first) - (x->first > y->first) : x->place - y->place;
}

static void print_table(const Activation *acts, int count, const OptionLine *line, int numbers, Curve curve, bool sort)
{
    Row *rows = allocate((size_t)count, sizeof *rows, "a table");
    double x;
    number_parse(line->arguments[numbers], &x);
    for (int i = 0; i < count; i++)
        rows[i] = (Row){ acts[i], curve(acts[i], x), i };
    if (sort)
        qsort(rows, (size_t)count, sizeof *rows, by_first);
    printf("%-16s", "x");
    for (int j = numbers; j < line->argument_count; j++)
        printf(" %12s", line->arguments[j]);
    putchar('\n');
    for (int i = 0; i < count; i++) {
        char name[1024];
        printf("%-16s", activation_text(rows[i].act, name, sizeof name));
        for (int j = numbers; j < line->argument_count; j++) {
            number_parse(line->arguments[j], &x);
            printf(" %12.6g", curve(rows[i].act, x) + 0.0);
        }
        putchar('\n');
    }
    free(rows);
}

static bool print_values(const ValueFlags *flags, const OptionLine *line, Curve curve, Error *error)
{
    OptionLine names = *line;
    const int numbers = names.argument_count = first_number(line);
    int count;
    Activation *acts = catalogue_parse(&names, 0, &count, error);
    if (!acts)
        return false;
    bool ok = numbers < line->argument_count || error_set(error, EXIT_usage, "no number: give one or more after the name");
    for (int i = numbers; i < line->argument_count && ok; i++) {
        double x;
        if (!number_parse(line->arguments[i], &x))
            ok = error_set(error, EXIT_usage, "not a number: '%.100s': names come first, numbers after them", line->arguments[i]);
    }
    if (ok && count > 1)
        print_table(acts, count, line, numbers, curve, flags->sort);
    for (int i = numbers; i < line->argument_count && ok && count == 1; i++) {
        double x;
        number_parse(line->arguments[i], &x);
        const double value = curve(acts[0], x);
        if (isnan(value))
            puts("nan");      /* never -nan */
        else
            printf("%.17g\n", value);
    }
    free(acts);
    return ok;
}

static bool run_eval(void *flags, OptionLine *line, Error *error)
{
    return print_values(flags, line, activation_value, error);
}

static bool run_grad(void *flags, OptionLine *line, Error *error)
{
    return print_values(flags, line, activation_slope, error);
}

const Command command_eval = {
    .options = {
        .command = "eval", .usage = "NAME[:P]... X...",
        .about = "Print f(X) in double precision: a line a number. Several activations, or all: a table.",
        .examples = "gelu -1 0 1\nall -2 -1 0 1 2\n", .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1 << 30,
    },
    .brief = "f(x) at given numbers, in double precision",
    .size = sizeof(ValueFlags), .numbers = true, .run = run_eval,
};

const Command command_grad = {
    .options = {
        .command = "grad", .usage = "NAME[:P]... X...",
        .about = "Print f'(X) in double precision: a line a number. Several activations, or all: a table.",
        .examples = "gelu -1 0 1\nall 0 --sort\n", .options = options, .count = sizeof options / sizeof *options, .most_arguments = 1 << 30,
    },
    .brief = "its derivative at given numbers",
    .size = sizeof(ValueFlags), .numbers = true, .run = run_grad,
};
