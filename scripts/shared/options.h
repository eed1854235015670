/* options.h - a program's flags, from one table.
 *
 * A table gives parsing (argp), --help, --help=all, args.json and the tests. Every long name may be
 * written with _ for -, every switch has --no-<name>, and a mistake is one line with the choices. */

#ifndef CONVZOO_OPTIONS_H
#define CONVZOO_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "errors.h"
#include "tried_options.h"


typedef enum {
    OPTION_text,           /* const char *   no default: NULL */
    OPTION_real,           /* double         no default: NAN */
    OPTION_whole,          /* int64_t        no default: -1 */
    OPTION_switch,         /* bool           no default: false */
} OptionType;

typedef struct Option {
    const char   *name;              /* "batch-size" */
    const char   *aliases;           /* further long names, space-separated; NULL */
    char          letter;            /* 'b'; 0 */
    OptionType    type;
    size_t        field;             /* where its value lies in the program's struct */
    const char   *argument;          /* what help calls the value: "N" */
    const char   *fallback;          /* the default, as typed; NULL: none */
    const char   *shown;             /* the default as help shows it, where it is not a plain value */
    double        least, most;       /* bounds of a number */
    const char   *choices;           /* the texts that are taken, space-separated; NULL: any */
    const char   *group;
    const char   *help;
    const char *(*names)(void);      /* help goes on with these */
    bool          rare;              /* only in --help=all */
    bool          once;              /* of one call alone: not in args.json */
} Option;

typedef struct OptionTable {
    const char   *usage;             /* "[OPTION...] [ARCH]" */
    const char   *about;
    const char   *examples;          /* lines, the last things in --help; the program's name is put before each */
    const Option *options;
    int           count;
    int           most_arguments;    /* that are no options */
    const TriedOption *tried;        /* what people type that is not here; NULL: only what no program has */
} OptionTable;

enum { OPTIONS_MOST = 64 };

typedef struct OptionLine {
    bool   given[OPTIONS_MOST];      /* which of the table's options stood there */
    int    help;                     /* 1: --help, 2: --help=all */
    bool   version;
    char **arguments;                /* what is no option; points into argv */
    int    argument_count;
    void  *loaded;                   /* the JSON that texts of options_load point into */
} OptionLine;

/* Fills `values` with the defaults and then the command line. Reorders argv. False and one line for a mistake. */
bool options_parse(const OptionTable *table, int argc, char **argv, void *values, OptionLine *line, Error *error);

/* The same for a program: answers --help and --version, and exits on a mistake. */
void options_start(const OptionTable *table, int argc, char **argv, void *values, OptionLine *line);

/* Whether the option of this name stood on the command line: in line->given. */
bool *options_given(const OptionTable *table, OptionLine *line, const char *name);

void options_help(const OptionTable *table, bool all, FILE *stream);

/* The values as a JSON text, an option a line; the caller frees it. NULL and a line if one is no UTF-8. */
char *options_text(const OptionTable *table, const void *values, Error *error);
/* Fills from such a file what the command line did not give. */
bool  options_load(const OptionTable *table, const char *path, void *values, OptionLine *line, Error *error);
void  options_free(OptionLine *line);

#endif
