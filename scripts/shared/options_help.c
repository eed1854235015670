/* options_help.c - a table of flags as a screen of help. */

#include "options.h"

#include <string.h>

enum { COLUMN_HELP = 31, COLUMNS = 100 };

/* Words of text, wrapped between COLUMN_HELP and COLUMNS; `at` is where the cursor stands. */
static int print_words(FILE *stream, const char *text, int at)
{
    while (*text) {
        const int length = (int)strcspn(text, " ");
        if (at + 1 + length > COLUMNS)
            at = fprintf(stream, "\n%*s", COLUMN_HELP - 1, "") - 1;
        at += fprintf(stream, " %.*s", length, text);
        text += length;
        text += strspn(text, " ");
    }
    return at;
}

static void print_option(FILE *stream, const Setting *option)
{
    const bool on = option->type == SETTING_switch && option->fallback && !strcmp(option->fallback, "true");
    char left[128], right[128];
    int at = option->letter ? snprintf(left, sizeof left, "  -%c, ", option->letter) : snprintf(left, sizeof left, "      ");
    at += snprintf(left + at, sizeof left - at, "--%s%s", on ? "no-" : "", option->name);
    if (option->type != SETTING_switch)
        snprintf(left + at, sizeof left - at, "=%s", option->argument);
    at = fprintf(stream, "%-*s", COLUMN_HELP - 1, left);

    if (option->with) {
        snprintf(right, sizeof right, "%s:", setting_condition(option, left, sizeof left));
        at = print_words(stream, right, at);
    }
    at = print_words(stream, option->help, at);
    if (option->names)
        at = print_words(stream, option->names(), at);
    const char *shown = option->shown ? option->shown : option->type == SETTING_switch ? NULL : option->fallback;
    if (shown) {
        snprintf(right, sizeof right, "[%s]", shown);
        print_words(stream, right, at);
    }
    fputc('\n', stream);
}

/* Rows of one group stand together, shared ones first. */
static void print_group(const OptionTable *table, const char *group, bool all, FILE *stream)
{
    bool begun = false;
    for (int i = 0; i < options_count(table); i++) {
        const Setting *option = options_at(table, i);
        if (strcmp(option->group, group) || option->hidden || (option->rare && !all))
            continue;
        if (!begun)
            fprintf(stream, " %s\n", group);
        begun = true;
        print_option(stream, option);
    }
}

static bool is_first_of_group(const OptionTable *table, int index)
{
    int first = 0;
    while (strcmp(options_at(table, first)->group, options_at(table, index)->group))
        first++;
    return first == index;
}

void options_help(const OptionTable *table, bool all, FILE *stream)
{
    char program[64];
    options_program(table, program, sizeof program);
    fprintf(stream, "Usage: %s %s\n%s\n%s", program, table->usage, table->about, table->commands ? table->commands : "");
    bool rare = false, switches = false;
    for (int i = 0; i < options_count(table); i++) {
        rare = rare || options_at(table, i)->rare;
        switches = switches || options_at(table, i)->type == SETTING_switch;
        if (is_first_of_group(table, i))
            print_group(table, options_at(table, i)->group, all, stream);
    }
    fprintf(stream, "%s%sExamples:\n", switches ? "Every switch has a --no- form. " : "",
            rare && !all ? "More options: --help=all. " : "");
    for (const char *line = table->examples; *line; line += strcspn(line, "\n") + 1)
        fprintf(stream, "  %s %.*s\n", program, (int)strcspn(line, "\n"), line);
}
