/* command.c - see command.h. */

#include "command.h"

#include "common_options.h"
#include "names.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_ROOM = 4096 };

static const Command *command_find(const Command *const *commands, int count, const char *name, Error *error)
{
    char all[LIST_ROOM] = "";
    NameSearch search = { .wrong = name };
    for (int i = 0; i < count; i++) {
        const char *known = commands[i]->options.command;
        if (names_match(known, name, strlen(name)))
            return commands[i];
        names_consider(&search, known, NULL);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " | " : "", known);
    }
    names_unknown_of(&search, "unknown command", "", all, error);
    return NULL;
}

static bool is_number(const char *word)
{
    char *end;
    strtod(word, &end);
    return *word && !*end;
}

/* Whether a number looks like an option, and no "--" of the caller's says that it is none. */
static bool has_negative(int argc, char **argv)
{
    bool negative = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--"))
            return false;
        negative = negative || (argv[i][0] == '-' && is_number(argv[i]));
    }
    return negative;
}

/* The same words, numbers after the others and after "--", so that -3 is no option. The caller frees the array. */
static char **numbers_last(int *argc, char **argv)
{
    static char dashes[] = "--";
    char **words = allocate((size_t)*argc + 2, sizeof *words, "a command line");
    int count = 0;
    for (int i = 0; i < *argc; i++)
        if (!is_number(argv[i]))
            words[count++] = argv[i];
    words[count++] = dashes;
    for (int i = 0; i < *argc; i++)
        if (is_number(argv[i]))
            words[count++] = argv[i];
    *argc = count;
    return words;
}

static void command_run(const Command *command, int argc, char **argv)
{
    OptionLine line;
    Error error = { 0 };
    char **words = argv;
    const bool sorted = command->numbers && has_negative(argc, argv);
    if (sorted)
        words = numbers_last(&argc, argv);
    void *flags = command->size ? allocate(1, command->size, "options") : NULL;
    options_start(&command->options, argc, words, flags, &line);
    if (!command->run(flags, &line, &error) || !output_flush(&error))
        error_exit(&error);
    free(flags);
    options_free(&line);
    if (sorted)
        free(words);
}

int commands_main(const Command *const *commands, int count, const char *about, const char *examples, int argc, char **argv)
{
    char list[LIST_ROOM] = " Commands\n";
    for (int i = 0; i < count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "  %-12s %s\n", commands[i]->options.command, commands[i]->brief);
    strncat(list, "COMMAND --help says more of each. ", sizeof list - strlen(list) - 1);
    const OptionTable table = { .usage = "COMMAND [OPTION...] [ARGUMENT...]", .about = about, .commands = list, .examples = examples };
    OptionLine line;
    Error error = { 0 };
    program_name_set(argv[0]);
    if (argc < 2 || *argv[1] == '-') {
        options_start(&table, argc, argv, NULL, &line);
        options_help(&table, false, stdout);
        if (!output_flush(&error))
            error_exit(&error);
        return EXIT_ok;
    }
    const Command *command = command_find(commands, count, argv[1], &error);
    if (!command)
        error_exit(&error);
    argv[1] = argv[0];
    command_run(command, argc - 1, argv + 1);
    return EXIT_ok;
}
