/* options_man.c - a table of flags as a manual page, and as words for a shell's completion. */

#include "options.h"

#include <string.h>

/* Text for man: backslashes, and a dot or an apostrophe that begins a line, mean something there; a hyphen is to be one. */
static void print_roff(FILE *stream, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stream);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '-')
            fputs("\\-", stream);
        else
            fputc(*text, stream);
        if (*text == '\n' && (text[1] == '.' || text[1] == '\''))
            fputs("\\&", stream);
    }
}

static bool is_on(const Setting *option)
{
    return option->type == SETTING_switch && option->fallback && !strcmp(option->fallback, "true");
}

static void print_option(const Setting *option, FILE *stream)
{
    fputs(".TP\n\\fB", stream);
    if (option->letter)
        fprintf(stream, "\\-%c\\fR, \\fB", option->letter);
    fputs("\\-\\-", stream);
    print_roff(stream, is_on(option) ? "no-" : "");
    print_roff(stream, option->name);
    fputs("\\fR", stream);
    if (option->type != SETTING_switch) {
        fputs("=\\fI", stream);
        print_roff(stream, option->argument);
        fputs("\\fR", stream);
    }
    fputc('\n', stream);
    if (option->with) {
        char condition[128];
        print_roff(stream, setting_condition(option, condition, sizeof condition));
        fputs(": ", stream);
    }
    print_roff(stream, option->help);
    if (option->names) {
        fputc(' ', stream);
        print_roff(stream, option->names());
    }
    const char *shown = option->shown ? option->shown : option->type == SETTING_switch ? NULL : option->fallback;
    if (shown) {
        fputs(" [", stream);
        print_roff(stream, shown);
        fputc(']', stream);
    }
    if (option->aliases) {
        fputs(" (also: ", stream);
        print_roff(stream, option->aliases);
        fputc(')', stream);
    }
    fputc('\n', stream);
}

/* The group that comes after this one in the table; NULL first gives the first, and NULL is returned after the last. */
static const char *next_group(const OptionTable *table, const char *before)
{
    bool seen = !before;
    for (int i = 0; i < options_count(table); i++) {
        const char *group = options_at(table, i)->group;
        bool earlier = false;
        for (int j = 0; j < i; j++)
            earlier = earlier || !strcmp(options_at(table, j)->group, group);
        if (!earlier && seen)
            return group;
        seen = seen || (!earlier && !strcmp(group, before));
    }
    return NULL;
}

static void print_examples(const OptionTable *table, FILE *stream)
{
    fputs(".SH EXAMPLES\n.nf\n", stream);
    for (const char *line = table->examples; *line;) {
        char text[256];
        const size_t length = strcspn(line, "\n");
        snprintf(text, sizeof text, "%s %.*s", program_name(), (int)length, line);
        print_roff(stream, text);
        fputc('\n', stream);
        line += length + (line[length] == '\n');
    }
    fputs(".fi\n", stream);
}

void options_man(const OptionTable *table, FILE *stream)
{
    char title[64];
    snprintf(title, sizeof title, "%s", program_name());
    for (char *byte = title; *byte; byte++)
        if (*byte == ' ')
            *byte = '-';
    fprintf(stream, ".TH %s 1 \"\" \"convzoo %s\"\n.SH NAME\n", title, CONVZOO_VERSION);
    print_roff(stream, title);
    fputs(" \\- ", stream);
    print_roff(stream, table->about);
    fprintf(stream, "\n.SH SYNOPSIS\n\\fB%s\\fR ", program_name());
    print_roff(stream, table->usage);
    fputs("\n.SH OPTIONS\nEvery switch has a \\-\\-no\\- form. Long names may be written with _ for \\-, and shortened.\n", stream);
    for (const char *group = next_group(table, NULL); group; group = next_group(table, group)) {
        fprintf(stream, ".SS %s\n", group);
        for (int i = 0; i < options_count(table); i++)
            if (!strcmp(options_at(table, i)->group, group) && !options_at(table, i)->hidden)
                print_option(options_at(table, i), stream);
    }
    if (table->commands) {
        fputs(".SH COMMANDS\nCOMMAND \\-\\-help says more of each.\n.nf\n", stream);
        print_roff(stream, table->commands);
        fputs(".fi\n", stream);
    }
    print_examples(table, stream);
    fputs(".SH EXIT STATUS\n0: done. 2: a mistake in the command line. 3: a bad input file. 4: the output folder is busy or cannot be written. "
          "5: out of memory. 6: training diverged. 7: a write failed. 8: another rank was lost. 128 + n: stopped by signal n, after saving.\n", stream);
}

/* The first word of each indented line. */
static void print_commands(const char *commands, FILE *stream)
{
    for (const char *line = commands; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (line[0] == ' ' && line[1] == ' ')
            fprintf(stream, "%.*s\t\n", (int)strcspn(line + 2, " "), line + 2);
}

void options_names(const OptionTable *table, FILE *stream)
{
    if (table->commands)
        print_commands(table->commands, stream);
    for (int i = 0; i < options_count(table); i++) {
        const Setting *option = options_at(table, i);
        const char *values = option->names ? option->names() : option->choices ? option->choices : "";
        if (option->hidden)
            continue;
        if (option->type == SETTING_switch)
            fprintf(stream, "--%s\t\n--no-%s\t\n", option->name, option->name);
        else
            fprintf(stream, "--%s=\t%s\n", option->name, values);
    }
    fputs("--help\t\n--version\t\n", stream);
}
