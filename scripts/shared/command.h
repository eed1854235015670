/* command.h - a program of several commands: `activations plot gelu`. Each is a table of options and a function. */

#ifndef CONVZOO_COMMAND_H
#define CONVZOO_COMMAND_H

#include "options.h"

typedef struct Command {
    OptionTable options;           /* its name too */
    const char *brief;             /* what it does, in the program's list of commands */
    size_t      size;              /* of the struct that the options fill; 0: it has none */
    bool        numbers;           /* arguments may be numbers below zero: they are no options */
    bool      (*run)(void *flags, OptionLine *line, Error *error);
} Command;

/* Runs the command that argv[1] names, or answers --help; `about` and `examples` are the program's own. Its exit status; ends the
 * process after a mistake. */
int commands_main(const Command *const *commands, int count, const char *about, const char *examples, int argc, char **argv);

#endif
