/* commands.h - the programs as a person runs them, in a folder of the test's own. */

#ifndef CONVZOO_COMMANDS_H
#define CONVZOO_COMMANDS_H

#include <jansson.h>
#include <sys/types.h>

typedef struct Case {
    const char *command;
    int         code;
    const char *out, *err;     /* what is in stdout and stderr; "" for nothing at all, NULL for anything */
} Case;

extern char folder[256];       /* for scratch_new and scratch_remove, or for these fixtures of a group or a case */
int commands_setup(void **state);
int commands_teardown(void **state);

/* Runs a shell command in the folder, programs first in its path; its exit code, and what it printed, which the caller frees. */
int  run(const char *command, char **out, char **err);
int  lines_of(const char *text);
/* The JSON object that a command prints; the test fails if it does not. To be released. */
json_t *run_json(const char *command);
double  json_number(const json_t *object, const char *key);

void check(const Case *c);
/* A mistake: nothing on stdout, one line on stderr that starts with the program's name. */
void check_mistake(const Case *c);

/* Starts a command in the folder without waiting, its stderr in the file of that name; ignored: a signal that is ignored from the
 * start, as under nohup; 0: none. */
pid_t start(const char *command, int ignored);
void  wait_for_file(const char *name);

#endif
