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

static void print_option(FILE *stream, const Option *option)
{
    const bool on = option->type == OPTION_switch && option->fallback && !strcmp(option->fallback, "true");
    char left[128], right[128];
    int at = option->letter ? snprintf(left, sizeof left, "  -%c, ", option->letter) : snprintf(left, sizeof left, "      ");
    at += snprintf(left + at, sizeof left - at, "--%s%s", on ? "no-" : "", option->name);
    if (option->type != OPTION_switch)
        snprintf(left + at, sizeof left - at, "=%s", option->argument);
    at = fprintf(stream, "%-*s", COLUMN_HELP - 1, left);

    at = print_words(stream, option->help, at);
    if (option->names)
        at = print_words(stream, option->names(), at);
    const char *shown = option->shown ? option->shown : option->type == OPTION_switch ? NULL : option->fallback;
    if (shown) {
        snprintf(right, sizeof right, "[%s]", shown);
        print_words(stream, right, at);
    }
    fputc('\n', stream);
}

void options_help(const OptionTable *table, bool all, FILE *stream)
{
    fprintf(stream, "Usage: %s %s\n%s\n", program_name(), table->usage, table->about);
    const char *group = "";
    bool hidden = false, switches = false;
    for (int i = 0; i < table->count; i++) {
        const Option *option = &table->options[i];
        hidden = hidden || option->rare;
        switches = switches || option->type == OPTION_switch;
        if (option->rare && !all)
            continue;
        if (strcmp(group, option->group))
            fprintf(stream, " %s\n", option->group);
        group = option->group;
        print_option(stream, option);
    }
    fprintf(stream, "%s%sExamples:\n", switches ? "Every switch has a --no- form. " : "",
            hidden && !all ? "More options: --help=all. " : "");
    for (const char *line = table->examples; *line; line += strcspn(line, "\n") + 1)
        fprintf(stream, "  %s %.*s\n", program_name(), (int)strcspn(line, "\n"), line);
}
