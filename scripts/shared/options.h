/* options.h - a program's flags, from one table of settings (setting.h).
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
#include "setting.h"
#include "tried_options.h"

typedef struct OptionTable {
    const char   *command;           /* of a program that has several: "plot"; NULL: the program has but this table */
    const char   *usage;             /* "[OPTION...] [ARCH]" */
    const char   *about;
    const char   *commands;          /* of a program that has several: lines "  name    what it does"; NULL */
    const char   *examples;          /* lines, the last things in --help; the program's name is put before each */
    const Setting *(*shared)(int index);     /* rows that come first, from another table over the same struct; NULL: none */
    int            (*shared_count)(void);
    bool           (*wanted)(const Setting *shared);      /* which of them; NULL: all */
    const Setting *options;
    int           count;             /* of `options` */
    int           most_arguments;    /* that are no options */
    const TriedOption *tried;        /* what people type that is not here; NULL: only what no program has */
} OptionTable;

enum { OPTIONS_MOST = 256 };

/* --help, --help=all, a manual page (--help=man) and what a shell completes (--help=names). */
typedef enum { HELP_none, HELP_short, HELP_all, HELP_man, HELP_names } OptionHelp;

/* Texts are by row, shared ones first; owned, options_free. */
typedef struct OptionLine {
    char  *given[OPTIONS_MOST];      /* what the command line gave; NULL: nothing */
    char  *loaded[OPTIONS_MOST];     /* what options_load found */
    OptionHelp help;                 /* what --help asked for */
    bool   version;
    char **arguments;                /* what is no option; points into argv */
    int    argument_count;
} OptionLine;

/* Fills `values`, which begin as zeros, with the defaults and then the command line. Reorders argv. False and one line for a mistake. A text among the values
 * lies in `line`. */
bool options_parse(const OptionTable *table, int argc, char **argv, void *values, OptionLine *line, Error *error);

/* The same for a program: answers --help and --version, and exits on a mistake. */
void options_start(const OptionTable *table, int argc, char **argv, void *values, OptionLine *line);

/* All rows of the table, and one of them. */
int            options_count(const OptionTable *table);
const Setting *options_at(const OptionTable *table, int index);

/* given[i] = what the command line gave row i of the shared rows' own table, where that row is wanted. The line keeps the texts. */
void options_shared(const OptionTable *table, const OptionLine *line, char **given);

/* What the command line gave the option of this name: its place in line->given. */
char **options_given(const OptionTable *table, OptionLine *line, const char *name);

/* "activations plot": what a person types before the options; returns text. */
const char *options_program(const OptionTable *table, char *text, size_t size);

void options_help(const OptionTable *table, bool all, FILE *stream);
/* A manual page of section 1, in man's macros. */
void options_man(const OptionTable *table, FILE *stream);
/* A line an option, as a shell's completion wants it: the name with = if it takes a value, a tab, and the values where they are
 * words; switches in both forms. Commands come first, as they are. */
void options_names(const OptionTable *table, FILE *stream);

/* The values as a JSON text, an option a line; the caller frees it. NULL and a line if one is no UTF-8. */
char *options_text(const OptionTable *table, const void *values, Error *error);
/* Fills from such a file what the command line did not give, and notes it in line->loaded. */
bool  options_load(const OptionTable *table, const char *path, void *values, OptionLine *line, Error *error);
void  options_free(OptionLine *line);

#endif
