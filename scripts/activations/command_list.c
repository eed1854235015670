/* command_list.c - activations list: the catalogue. */

#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common_options.h"
#include "frameworks.h"
#include "names.h"
#include "properties.h"

typedef struct ListFlags {
    bool        json;
    const char *family;
} ListFlags;

#define FIELD(name) .field = offsetof(ListFlags, name)

static const Setting options[] = {
    { "family", NULL, 0, SETTING_text, FIELD(family), .argument = "NAME", .shown = "all", .group = "Options", .help = "one family alone" },
    { "json", NULL, 0, SETTING_switch, FIELD(json), .group = "Options", .help = "a JSON array, with what is computed of each" },
};

static void print_line(const ActivationInfo *info)
{
    char name[96];
    snprintf(name, sizeof name, "%s%s%s", info->key, *info->aliases ? " = " : "", info->aliases);
    printf("%-28s %s\n", name, info->formula);
}

static void print_field(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    print_json_string(text ? text : "");
}

static void print_number(const char *name, double value)
{
    if (!isfinite(value))
        printf(", \"%s\": null", name);
    else
        printf(", \"%s\": %.17g", name, value + 0.0);
}

static void print_parameters(const ActivationInfo *info)
{
    const char *name = info->parameters;
    printf(", \"parameters\": {");
    for (int i = 0; i < activation_parameter_count(info); i++, name += strcspn(name, " ") + 1)
        printf("%s\"%.*s\": %.9g", i ? ", " : "", (int)strcspn(name, " "), name, (double)info->defaults[i]);
    printf("}");
}

static void print_json(const ActivationInfo *info, bool first)
{
    const Activation act = activation_of_info(info);
    const Properties p = properties_of(act);
    printf("%s\n {\"name\": ", first ? "" : ",");
    print_json_string(info->key);
    print_field("aliases", info->aliases);
    print_field("family", info->family);
    print_field("formula", info->formula);
    print_field("derivative", info->derivative);
    print_field("range", info->range);
    print_parameters(info);
    print_number("gain", (double)activation_gain(act));
    printf(", \"monotone\": %s, \"smooth\": %s, \"saturates_left\": %s, \"saturates_right\": %s", p.rises || p.falls ? "true" : "false",
           p.smooth == SMOOTH_twice ? "true" : "false", p.saturates_left ? "true" : "false", p.saturates_right ? "true" : "false");
    print_number("slope_least", p.slope_least);
    print_number("slope_most", p.slope_most);
    print_number("minimum", p.least);
    print_number("minimum_at", p.least_at);
    print_number("mean", p.mean);
    print_number("square", p.square);
    print_field("good_for", info->good_for);
    print_field("bad_for", info->bad_for);
    print_field("paper", info->paper);
    for (int i = 0; i < FRAMEWORKS; i++)
        print_field(framework_name(i), framework_activation(i, act));
    printf("}");
}

static bool is_listed(const ListFlags *flags, const ActivationInfo *info)
{
    return !flags->family || names_match(info->family, flags->family, strlen(flags->family));
}

/* The catalogue has a family's rows one after another in each of its files; every name comes once. */
static bool refuse_family(const char *family, Error *error)
{
    char names[256] = "";
    for (int i = 0; i < activation_count(); i++) {
        const char *name = activation_at(i)->family;
        if (!strstr(names, name))
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? " " : "", name);
    }
    return error_set(error, EXIT_usage, "unknown family '%.40s': --family: choose one of %s", family, names);
}

static bool run(void *data, OptionLine *line, Error *error)
{
    const ListFlags *flags = data;
    int count = 0;
    (void)line;
    for (int i = 0; i < activation_count(); i++)
        count += is_listed(flags, activation_at(i));
    if (!count)
        return refuse_family(flags->family, error);
    if (flags->json)
        printf("[");
    for (int i = 0, shown = 0; i < activation_count(); i++)
        if (is_listed(flags, activation_at(i)) && flags->json)
            print_json(activation_at(i), shown++ == 0);
        else if (is_listed(flags, activation_at(i)))
            print_line(activation_at(i));
    if (flags->json)
        printf("\n]\n");
    return true;
}

const Command command_list = {
    .options = {
        .command = "list", .usage = "[OPTION...]",
        .about = "Print the activations that train --act knows.",
        .examples = "\n--json\n", .options = options, .count = sizeof options / sizeof *options,
    },
    .brief = "the catalogue, a line each",
    .size = sizeof(ListFlags), .run = run,
};
