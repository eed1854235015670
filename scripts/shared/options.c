/* options.c - parsing a command line by its table; see options.h. */

#include "options.h"

#include "common_options.h"
#include "disk.h"
#include "library_memory.h"
#include "names.h"
#include "text.h"
#include "tried_options.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KEY_HELP = 'h',
    KEY_VERSION = 0x1000,
    KEY_OPTION = 0x2000,          /* + index */
    KEY_NEGATED = 0x3000,         /* + index */
    NAMES_MOST = 4 * OPTIONS_MOST,
    NAME_SIZE = 48,
    REAL_DIGITS = 15,             /* of a number in args.json */
    FILE_MOST = 1 << 20,          /* bytes of args.json */
};

static bool is_wanted(const OptionTable *table, int row)
{
    return !table->wanted || table->wanted(table->shared(row));
}

static int shared_count(const OptionTable *table)
{
    int count = 0;
    for (int row = 0; table->shared && row < table->shared_count(); row++)
        count += is_wanted(table, row);
    return count;
}

static const Setting *shared_at(const OptionTable *table, int index)
{
    int row = 0;
    for (; index > 0 || !is_wanted(table, row); row++)
        index -= is_wanted(table, row);
    return table->shared(row);
}

int options_count(const OptionTable *table)
{
    return shared_count(table) + table->count;
}

const Setting *options_at(const OptionTable *table, int index)
{
    const int shared = shared_count(table);
    return index < shared ? shared_at(table, index) : &table->options[index - shared];
}

const char *options_program(const OptionTable *table, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s", program_name(), table->command ? " " : "", table->command ? table->command : "");
    return text;
}

/* The table in argp's form: a row a name. */
typedef struct ArgpNames {
    struct argp_option rows[NAMES_MOST + 1];
    char               names[NAMES_MOST][NAME_SIZE];
    int                count;
} ArgpNames;

typedef struct Parse {
    const OptionTable *table;
    const ArgpNames   *names;
    void              *values;
    OptionLine        *line;
    Error             *error;
} Parse;

static void argp_add(ArgpNames *all, const char *prefix, const char *name, size_t length, int key, const char *argument,
                     int flags)
{
    CHECK(all->count < NAMES_MOST, "%d names of options", all->count);
    char *text = all->names[all->count];
    const int written = snprintf(text, NAME_SIZE, "%s%.*s", prefix, (int)length, name);
    CHECK(written < NAME_SIZE, "option name '%s%s'", prefix, name);
    all->rows[all->count++] = (struct argp_option){ .name = text, .key = key, .arg = argument, .flags = flags };
}

/* Name, aliases and, for switches, the negatives of each. */
static void argp_add_option(ArgpNames *all, const Setting *option, int index)
{
    const char *argument = option->type == SETTING_switch ? NULL : option->argument;
    argp_add(all, "", option->name, strlen(option->name), option->letter ? option->letter : KEY_OPTION + index, argument, 0);
    if (option->type == SETTING_switch || option->deniable)
        argp_add(all, "no-", option->name, strlen(option->name), KEY_NEGATED + index, NULL, 0);

    const char *alias = option->aliases ? option->aliases : "";
    while (*alias) {
        const size_t length = strcspn(alias, " ");
        argp_add(all, "", alias, length, KEY_OPTION + index, argument, 0);
        if (option->type == SETTING_switch || option->deniable)
            argp_add(all, "no-", alias, length, KEY_NEGATED + index, NULL, 0);
        alias += length + strspn(alias + length, " ");
    }
}

static ArgpNames *argp_names(const OptionTable *table)
{
    CHECK(options_count(table) <= OPTIONS_MOST, "%d options", options_count(table));
    ArgpNames *all = allocate(1, sizeof *all, "options");
    argp_add(all, "", "help", 4, KEY_HELP, "all", OPTION_ARG_OPTIONAL);
    argp_add(all, "", "version", 7, KEY_VERSION, NULL, 0);
    for (int i = 0; i < options_count(table); i++)
        argp_add_option(all, options_at(table, i), i);
    return all;
}

/* ---- what is wrong with a word that argp refuses ---- */

static bool refuse_unknown(const Parse *parse, const char *shown, const char *name)
{
    const char *known = tried_option(parse->table->tried, name);
    if (known)
        return error_set(parse->error, EXIT_usage, "unknown option '%.60s': command line: %s", shown, known);
    NameSearch search = { .wrong = name };
    char meant[NAMES_NEAREST * NAME_SIZE + 64];
    for (int i = 0; i < options_count(parse->table); i++)
        names_consider(&search, options_at(parse->table, i)->name, options_at(parse->table, i)->aliases);
    char program[NAME_SIZE];
    return error_set(parse->error, EXIT_usage, "unknown option '%.60s': command line: %s'%s --help=all' shows all", shown,
                     names_meant(&search, "--", meant, sizeof meant), options_program(parse->table, program, sizeof program));
}

static const struct argp_option *row_of_letter(const ArgpNames *names, int letter)
{
    for (int i = 0; i < names->count; i++)
        if (names->rows[i].key == letter)
            return &names->rows[i];
    return NULL;
}

/* Fills the error if `word` is what argp stumbled over. */
static bool explains(const Parse *parse, const char *word)
{
    if (word[0] != '-' || !word[1])
        return false;
    if (word[1] != '-') {
        for (const char *letter = word + 1; *letter; letter++) {
            const struct argp_option *row = row_of_letter(parse->names, *letter);
            if (!row) {
                refuse_unknown(parse, word, (char[]){ *letter, '\0' });
                return true;
            }
            if (row->arg && letter[1])
                return false;
            if (row->arg) {
                error_set(parse->error, EXIT_usage, "no value: -%c: use -%c %s", *letter, *letter, row->arg);
                return true;
            }
        }
        return false;
    }
    char name[NAME_SIZE];
    const size_t length = strcspn(word + 2, "=");
    snprintf(name, sizeof name, "%.*s", (int)(length < NAME_SIZE ? length : NAME_SIZE - 1), word + 2);
    int matches = 0;
    const struct argp_option *row = NULL;
    for (int i = 0; i < parse->names->count && !(row && matches == 1 && !strcmp(row->name, name)); i++)
        if (!strncmp(parse->names->rows[i].name, name, strlen(name))) {
            row = &parse->names->rows[i];
            matches = strcmp(row->name, name) ? matches + 1 : 1;
        }
    if (matches != 1)
        refuse_unknown(parse, word, name);
    else if (word[2 + length] && !row->arg)
        error_set(parse->error, EXIT_usage, "a value for a switch: --%s: use --%s or --no-%s", row->name, row->name, row->name);
    else if (!word[2 + length] && row->arg)
        error_set(parse->error, EXIT_usage, "no value: --%s: use --%s=%s", row->name, row->name, row->arg);
    else
        return false;
    return true;
}

/* ---- argp ---- */

static int index_of_key(const OptionTable *table, int key)
{
    if (key >= KEY_OPTION)
        return key - (key >= KEY_NEGATED ? KEY_NEGATED : KEY_OPTION);
    for (int i = 0; i < options_count(table); i++)
        if (options_at(table, i)->letter == key)
            return i;
    return -1;
}

static error_t parse_rest(Parse *parse, struct argp_state *state)
{
    parse->line->arguments = state->argv + state->next;
    parse->line->argument_count = state->argc - state->next;
    state->next = state->argc;
    if (parse->line->argument_count <= parse->table->most_arguments)
        return 0;
    char program[NAME_SIZE];
    error_set(parse->error, EXIT_usage, "%d arguments: '%.100s': usage is %s %s", parse->line->argument_count,
              parse->line->arguments[parse->table->most_arguments], options_program(parse->table, program, sizeof program),
              parse->table->usage);
    return EINVAL;
}

static OptionHelp help_of(const char *word)
{
    static const char *const words[] = { [HELP_all] = "all", [HELP_man] = "man", [HELP_names] = "names" };
    if (!word)
        return HELP_short;
    for (int help = HELP_all; help <= HELP_names; help++)
        if (!strcmp(word, words[help]))
            return (OptionHelp)help;
    return HELP_none;
}

static error_t parse_key(int key, char *argument, struct argp_state *state)
{
    Parse *parse = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        return ARGP_ERR_UNKNOWN;
    case ARGP_KEY_ARGS:
        return parse_rest(parse, state);
    case ARGP_KEY_ERROR:
        if (!parse->error->text[0] && !explains(parse, state->argv[state->next - 1]) &&
            !(state->next < state->argc && explains(parse, state->argv[state->next])))
            error_set(parse->error, EXIT_usage, "not understood: command line: see --help");
        return 0;
    case KEY_HELP:
        parse->line->help = help_of(argument);
        if (parse->line->help == HELP_none)
            error_set(parse->error, EXIT_usage, "unknown value '%.100s': --help: use --help or --help=all", argument);
        return parse->line->help == HELP_none ? EINVAL : 0;
    case KEY_VERSION:
        parse->line->version = true;
        return 0;
    }
    const int index = key > 0 && key < KEY_NEGATED + OPTIONS_MOST ? index_of_key(parse->table, key) : -1;
    if (index < 0)
        return ARGP_ERR_UNKNOWN;
    const Setting *option = options_at(parse->table, index);
    char **given = &parse->line->given[index];
    free(*given);
    *given = text_copy(key >= KEY_NEGATED ? "false" : option->type == SETTING_switch ? "true" : argument);
    if (option->choices)
        names_settle(option->choices, *given);      /* written as the program compares it: --progress Bar is bar */
    return setting_read(option, *given, parse->values, parse->error) ? 0 : EINVAL;
}

/* --Batch_Size is --batch-size. */
static void settle_names(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
        if (argv[i][0] == '-' && argv[i][1] == '-')
            for (char *letter = argv[i] + 2; *letter && *letter != '='; letter++)
                *letter = *letter == '_' ? '-' : (char)tolower((unsigned char)*letter);
}

bool options_parse(const OptionTable *table, int argc, char **argv, void *values, OptionLine *line, Error *error)
{
    ArgpNames *names = argp_names(table);
    Parse parse = { .table = table, .names = names, .values = values, .line = line, .error = error };
    *line = (OptionLine){ 0 };
    *error = (Error){ 0 };
    for (int i = 0; i < options_count(table); i++)
        setting_reset(options_at(table, i), values);

    const struct argp argp = { .options = names->rows, .parser = parse_key };
    settle_names(argc, argv);
    const error_t failed = argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP, NULL, &parse);
    free(names);
    return !failed;
}

/* A file that is opened while one of these is closed would get its number, and what is printed then. Writing to what is held so
 * fails, as it should. */
static void hold_standard_files(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", O_RDONLY);
}

void options_start(const OptionTable *table, int argc, char **argv, void *values, OptionLine *line)
{
    Error error;
    program_name_set(argv[0]);
    library_memory_guard();
    hold_standard_files();
    if (!options_parse(table, argc, argv, values, line, &error))
        error_exit(&error);
    if (line->version)
        printf("%s (convzoo) %s\n", program_name(), CONVZOO_VERSION);
    else if (line->help == HELP_man)
        options_man(table, stdout);
    else if (line->help == HELP_names)
        options_names(table, stdout);
    else if (line->help)
        options_help(table, line->help == HELP_all, stdout);
    else
        return;
    if (!output_flush(&error))
        error_exit(&error);
    exit(EXIT_ok);
}

void options_shared(const OptionTable *table, const OptionLine *line, char **given)
{
    for (int row = 0, index = 0; row < table->shared_count(); row++)
        if (is_wanted(table, row))
            given[row] = line->given[index++];
}

char **options_given(const OptionTable *table, OptionLine *line, const char *name)
{
    int index = 0;
    while (index < options_count(table) && strcmp(options_at(table, index)->name, name))
        index++;
    CHECK(index < options_count(table), "no option '%s'", name);
    return &line->given[index];
}

/* ---- args.json ---- */

char *options_text(const OptionTable *table, const void *values, Error *error)
{
    json_t *object = json_object();
    for (int i = 0; i < options_count(table); i++) {
        const Setting *option = options_at(table, i);
        if (option->keep == KEEP_call)
            continue;
        json_t *value = setting_json(option, values);
        if (!value) {
            json_decref(object);
            error_set(error, EXIT_usage, "value is not UTF-8: --%s: the run could not be resumed with it: rename what it names",
                      option->name);
            return NULL;
        }
        json_object_set_new(object, option->name, value);
    }
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS));
    json_decref(object);
    CHECK(text, "%d options as JSON", options_count(table));
    return text;
}

/* Notes the value, and sets it unless the command line has one. */
static bool load_value(const Setting *option, const json_t *value, void *values, char **loaded, bool given, Error *error)
{
    free(*loaded);
    *loaded = setting_of_json(option, value, error);
    if (!*loaded)
        return !error->text[0];
    if (option->choices)
        names_settle(option->choices, *loaded);
    return given || setting_read(option, *loaded, values, error);
}

bool options_load(const OptionTable *table, const char *path, void *values, OptionLine *line, Error *error)
{
    json_error_t where;
    size_t size;
    char *text = (char *)disk_read_all(AT_FDCWD, path, path, FILE_MOST, &size, error);
    if (!text)
        return false;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(error, EXIT_input, "not the options of a run: %s: %s: remove the file, or start a new run", path,
                         object ? "no object" : where.text);
    }
    bool ok = true;
    for (int i = 0; ok && i < options_count(table); i++) {
        const Setting *option = options_at(table, i);
        const json_t *value = json_object_get(object, option->name);
        Error wrong;
        if (value && option->keep != KEEP_call && !load_value(option, value, values, &line->loaded[i], line->given[i], &wrong))
            ok = error_set(error, EXIT_input, "damaged options: %s: %s", path, wrong.text);
    }
    json_decref(object);
    return ok;
}

void options_free(OptionLine *line)
{
    for (int i = 0; i < OPTIONS_MOST; i++) {
        free(line->given[i]);
        free(line->loaded[i]);
    }
    *line = (OptionLine){ 0 };
}
