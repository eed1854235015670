/* activations.c - prints what the catalogue knows about activation functions. */

#include <stdlib.h>
#include <string.h>

#include "activations.h"
#include "common_options.h"
#include "options.h"

static const OptionTable table = {
    .usage = "list | show NAME[:P]...",
    .about = "Print the activation functions that train --act knows: all of them, or all about one.",
    .examples = "list\n"
                "show gelu leaky_relu:0.2\n",
    .most_arguments = 1 << 30,
};

static void print_list(void)
{
    for (int key = ACT_native + 1; key < ACT_COUNT; key++) {
        const ActivationInfo *info = activation_info((ActivationKey)key);
        char name[96];
        snprintf(name, sizeof name, "%s%s%s", info->key, *info->aliases ? " = " : "", info->aliases);
        printf("%-28s %s\n", name, info->formula);
    }
}

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

static void print_one(Activation act)
{
    const ActivationInfo *info = act.info;
    char text[128];
    printf("%s\n", activation_text(act, text, sizeof text));
    print_row("also called", info->aliases);
    print_row("f(x)", info->formula);
    print_row("f'(x)", info->derivative);
    print_row("range", info->range);
    const char *name = info->parameters;
    for (int i = 0; i < activation_parameter_count(info); i++, name += strcspn(name, " ") + 1) {
        snprintf(text, sizeof text, "%.*s = %g (default %g)", (int)strcspn(name, " "), name, (double)act.parameters[i], (double)info->defaults[i]);
        print_row("parameter", text);
    }
    snprintf(text, sizeof text,
             "%.4g: weights start with variance gain^2 / fan-in (a sixth in linear layers and before batch norm)",
             (double)info->gain);
    print_row("gain", text);
    print_row("good for", info->good_for);
    print_row("bad for", info->bad_for);
    print_row("paper", info->paper);
    print_values(act);
}

static bool show(const OptionLine *line, Error *error)
{
    Activation act;
    for (int i = 1; i < line->argument_count; i++)
        if (!activation_parse(line->arguments[i], &act, error))
            return false;
        else if (!act.info)
            return error_set(error, EXIT_usage, "no function: '%s': it stands for an architecture's own: use one of %s",
                             line->arguments[i], activation_names());
    for (int i = 1; i < line->argument_count; i++) {
        activation_parse(line->arguments[i], &act, error);
        print_one(act);
    }
    return line->argument_count > 1 || error_set(error, EXIT_usage, "no name: show: use one of %s", activation_names());
}

int main(int argc, char **argv)
{
    OptionLine line;
    Error error = { 0 };
    options_start(&table, argc, argv, NULL, &line);
    const char *command = line.argument_count ? line.arguments[0] : "";
    bool ok = true;
    if (!*command)
        options_help(&table, false, stdout);
    else if (!strcmp(command, "list") && line.argument_count == 1)
        print_list();
    else if (!strcmp(command, "show"))
        ok = show(&line, &error);
    else
        ok = error_set(&error, EXIT_usage, "not understood: '%.60s': usage is %s %s", command, program_name(), table.usage);
    if (!ok || !output_flush(&error))
        error_exit(&error);
    return EXIT_ok;
}
